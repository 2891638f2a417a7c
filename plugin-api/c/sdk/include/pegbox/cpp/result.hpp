/// Results and texts.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "../text.h"

namespace pegbox {

/// What went wrong, for the user, and how to mend it.
struct Error {
    std::string message;
    std::string help = {};
};

template <typename Value = void> using Result = std::expected<Value, Error>;

/// `return pegbox::fail("...")`: one sentence without a full stop, what went wrong and where; perhaps how to
/// mend it.
inline std::unexpected<Error> fail(std::string message, std::string help = {}) {
    return std::unexpected(Error{std::move(message), std::move(help)});
}

namespace detail {

inline std::string_view view(pegbox_text text) {
    return {reinterpret_cast<const char *>(text.ptr), text.len};
}

/// The same bytes, which must live until the call ends.
inline pegbox_text lend(std::string_view text) {
    return {reinterpret_cast<uint8_t *>(const_cast<char *>(text.data())), text.size()};
}

/// A copy in the call's memory.
inline pegbox_text copy(std::string_view text) {
    auto *bytes = static_cast<char *>(pegbox_alloc(text.size() + 1));
    text.copy(bytes, text.size());
    return {reinterpret_cast<uint8_t *>(bytes), text.size()};
}

inline const char *c_string(std::string_view text) {
    return reinterpret_cast<const char *>(copy(text).ptr);
}

} // namespace detail

/// Bytes that grow, until the call ends.
class Bytes {
public:
    explicit Bytes(pegbox_buffer &buffer) : buffer(buffer) {}

    void put(std::string_view text) { pegbox_put(&buffer, text.data(), text.size()); }
    void put(const void *bytes, size_t size) { pegbox_put(&buffer, bytes, size); }
    /// `text` as JSON writes a string, quotes included.
    void put_json(std::string_view text) { pegbox_put_json_text(&buffer, detail::lend(text)); }

private:
    pegbox_buffer &buffer;
};

namespace detail {

/// As the functions of C say it.
template <typename Value> bool report(const Result<Value> &result) {
    if (result) return true;
    const Error &error = result.error();
    if (error.help.empty()) return pegbox_fail("%s", error.message.c_str());
    return pegbox_fail_help(c_string(error.help), "%s", error.message.c_str());
}

} // namespace detail
} // namespace pegbox
