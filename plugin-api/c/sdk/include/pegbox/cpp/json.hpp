/// JSON.
#pragma once

#include <optional>
#include <vector>

#include "../json.h"
#include "result.hpp"

namespace pegbox {

/// A value of JSON, or nothing. It lives as long as the call that read it.
class Json {
public:
    explicit Json(const pegbox_json *raw) : raw(raw) {}

    /// Reads a text; nothing if it is not JSON.
    static Json parse(std::string_view text) { return Json(pegbox_json_parse(detail::lend(text))); }

    explicit operator bool() const { return raw != nullptr; }
    bool is(pegbox_json_type type) const { return raw != nullptr && raw->type == type; }

    /// The value at `key` of an object; nothing if there is none.
    Json operator[](const char *key) const { return Json(pegbox_json_get(raw, key)); }

    /// The value at `key`, or `otherwise` where there is none of this type.
    double number(const char *key, double otherwise) const { return pegbox_json_number(raw, key, otherwise); }
    bool boolean(const char *key, bool otherwise) const { return pegbox_json_bool(raw, key, otherwise); }
    std::string_view string(const char *key, const char *otherwise) const {
        return detail::view(pegbox_json_string(raw, key, otherwise));
    }

    /// This value itself, or `otherwise`.
    double number(double otherwise = 0) const { return is(PEGBOX_JSON_NUMBER) ? raw->number : otherwise; }
    std::string_view string() const {
        return is(PEGBOX_JSON_STRING) ? detail::view(raw->string) : std::string_view();
    }

    /// Its name, if it stands in an object.
    std::string_view key() const { return raw == nullptr ? std::string_view() : detail::view(raw->key); }

    /// The values of an array or object, in their order.
    std::vector<Json> values() const {
        std::vector<Json> all;
        for (pegbox_json_each(one, raw)) all.emplace_back(one);
        return all;
    }

private:
    const pegbox_json *raw;
};

} // namespace pegbox
