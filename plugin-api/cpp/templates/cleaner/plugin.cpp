// Trims each field, makes every run of white space one space, and drops records whose first field is then too
// short.

#include <algorithm>

#include <pegbox.hpp>

using pegbox::Batch, pegbox::Json, pegbox::Outcome, pegbox::Result, pegbox::Row;

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// In place: what is left is never longer. Nothing if nothing changed. Every byte takes the same path: a
// branch at each word's end would cost more than the copying.
static std::optional<std::string_view> collapse(std::span<char> text) {
    size_t length = 0;
    bool after_space = true, changed = false;
    for (char c : text) {
        bool space = is_space(c);
        changed |= space && c != ' ';
        text[length] = space ? ' ' : c;
        length += !(space && after_space);
        after_space = space;
    }
    if (length > 0 && after_space) length--;
    if (!changed && length == text.size()) return std::nullopt;
    return std::string_view(text.data(), length);
}

// Every code point has one byte that does not continue another.
static size_t code_points(std::string_view text) {
    return size_t(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

struct Plugin {
    size_t min_length;

    static constexpr auto configuration_schema = PEGBOX_JSON({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "min-length": {
                "type": "integer",
                "minimum": 0,
                "default": 1,
                "description": "Records whose first field has fewer characters are dropped"
            }
        }
    });

    static Result<Plugin> configure(const Json &configuration) {
        return Plugin{size_t(configuration.number("min-length", 1))};
    }

    Result<> clean(const Batch &batch, std::span<Outcome> outcomes) const {
        for (size_t i = 0; i < batch.size(); i++) clean_row(batch[i], outcomes[i]);
        return {};
    }

    void clean_row(Row row, Outcome &outcome) const {
        bool changed = false;
        for (size_t field = 0; field < row.size(); field++) {
            auto text = row.edit(field);
            if (!text) continue;
            auto collapsed = collapse(*text);
            if (!collapsed) continue;
            row.set(field, *collapsed);
            changed = true;
        }
        auto first = row.get(0);
        if (!first || code_points(*first) < min_length) {
            outcome.drop("too-short");
        } else if (changed) {
            outcome.replace(row);
        }
    }
};

PEGBOX_PLUGIN(Plugin)
