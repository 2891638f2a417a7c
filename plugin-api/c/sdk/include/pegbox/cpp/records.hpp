/// Records, for cleaners and validators. These types lie over the contract's: nothing is copied.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>

#include "../records.h"
#include "result.hpp"

#if defined(PEGBOX_KIND_CLEANER) || defined(PEGBOX_KIND_VALIDATOR)
namespace pegbox {

/// One record.
class Row {
public:
    explicit Row(pegbox_row &raw) : raw(raw) {}

    /// The record's number in this run, unique across all files.
    uint64_t id() const { return raw.id; }

    /// How many fields it has.
    size_t size() const { return raw.values.len; }

    /// The value of a field, UTF-8; nothing where the record lacks it.
    std::optional<std::string_view> get(size_t field) const {
        const auto &value = raw.values.ptr[field];
        return value.is_some ? std::optional(detail::view(value.val)) : std::nullopt;
    }

    /// The same, to be changed in place.
    std::optional<std::span<char>> edit(size_t field) const {
        auto &value = raw.values.ptr[field];
        if (!value.is_some) return std::nullopt;
        return std::span(reinterpret_cast<char *>(value.val.ptr), value.val.len);
    }

    /// Puts another value there, which is copied unless it is part of the old one.
    void set(size_t field, std::string_view value) {
        auto &place = raw.values.ptr[field];
        const char *old = reinterpret_cast<const char *>(place.val.ptr);
        bool is_part = place.is_some && value.data() >= old && value.data() + value.size() <= old + place.val.len;
        place = {true, is_part ? detail::lend(value) : detail::copy(value)};
    }

    /// Takes the value away.
    void clear(size_t field) { raw.values.ptr[field] = {}; }

    pegbox_row &raw;
};

/// Some records, usually 64 to 256. `for (Row row : batch)` goes through them.
class Batch {
public:
    explicit Batch(pegbox_batch &raw) : raw(raw) {}

    size_t size() const { return raw.rows.len; }
    Row operator[](size_t index) const { return Row(raw.rows.ptr[index]); }

    size_t field_count() const { return raw.fields.len; }
    std::string_view field_name(size_t field) const { return detail::view(raw.fields.ptr[field]); }

    /// The number of the field called `name`.
    std::optional<size_t> field(const char *name) const {
        int found = pegbox_field(&raw, name);
        return found < 0 ? std::nullopt : std::optional(size_t(found));
    }

    struct Iterator {
        pegbox_row *at;
        Row operator*() const { return Row(*at); }
        Iterator &operator++() {
            ++at;
            return *this;
        }
        bool operator==(const Iterator &) const = default;
    };

    Iterator begin() const { return {raw.rows.ptr}; }
    Iterator end() const { return {raw.rows.ptr + raw.rows.len}; }

private:
    pegbox_batch &raw;
};

#ifdef PEGBOX_KIND_CLEANER

/// What becomes of one record. It starts as "keep".
class Outcome {
public:
    /// The record gets the values that `row` has by now.
    void replace(const Row &row) { pegbox_replace_row(&raw, &row.raw); }

    /// The record leaves the dataset. `reason` is a short kebab-case code; use few distinct ones.
    void drop(const char *reason) { pegbox_drop_row(&raw, reason); }

    /// The record becomes several, at least one, each with a text for every field.
    void split(std::span<const std::span<const std::string_view>> parts) {
        auto *rows = static_cast<pegbox_row *>(pegbox_alloc(parts.size() * sizeof(pegbox_row)));
        for (size_t i = 0; i < parts.size(); i++) {
            size_t count = parts[i].size();
            auto *values = static_cast<pegbox_maybe_text *>(pegbox_alloc(count * sizeof(pegbox_maybe_text)));
            for (size_t j = 0; j < count; j++) values[j] = {true, detail::copy(parts[i][j])};
            rows[i].values = {values, count};
        }
        pegbox_split_row(&raw, rows, parts.size());
    }

private:
    pegbox_outcome raw;
};

static_assert(sizeof(Outcome) == sizeof(pegbox_outcome));

#endif

#ifdef PEGBOX_KIND_VALIDATOR

enum class Severity {
    /// Worth knowing; never stops a run.
    info = PEGBOX_SEVERITY_INFO,
    /// Probably wrong.
    warning = PEGBOX_SEVERITY_WARNING,
    /// Wrong; stops a run whose recipe says `fail-on = "error"`.
    error = PEGBOX_SEVERITY_ERROR,
};

/// A new value for one field of the record.
struct Fix {
    std::string_view field;
    std::string_view value;
};

/// One fault found.
struct Finding {
    Severity severity;
    /// A short kebab-case code, such as `unknown-label`; findings are counted by it.
    const char *code;
    std::string_view message;
    /// The id of the record that it is about; none for the dataset as a whole.
    std::optional<uint64_t> row = {};
    /// The field that it is about, if one.
    std::optional<std::string_view> field = {};
    /// What would mend it. The host applies a fix only where the recipe says so.
    std::optional<Fix> proposed_fix = {};
};

/// A list that a validator adds to. Texts are copied.
class Findings {
public:
    explicit Findings(pegbox_findings &raw) : raw(raw) {}

    void add(const Finding &finding) {
        auto *added = pegbox_find(&raw, pegbox_severity(finding.severity), finding.code, "%.*s",
                                  int(finding.message.size()), finding.message.data());
        if (finding.row) added->row = {true, *finding.row};
        if (finding.field) added->field = {true, detail::copy(*finding.field)};
        if (finding.proposed_fix) {
            const Fix &fix = *finding.proposed_fix;
            added->proposed_fix = {true, {detail::copy(fix.field), detail::copy(fix.value)}};
        }
    }

private:
    pegbox_findings &raw;
};

#endif

} // namespace pegbox
#endif
