// Trims each field, makes every run of white space one space, and drops records whose first field is then too
// short.

#include "pegbox.h"

const char *const configuration_schema = PEGBOX_JSON({
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

static size_t min_length;

bool configure(const pegbox_json *configuration) {
    min_length = (size_t)pegbox_json_number(configuration, "min-length", 1);
    return true;
}

static bool is_space(uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

// In place: what is left is never longer. True if anything changed. Every byte takes the same path: a branch
// at each word's end would cost more than the copying.
static bool collapse(pegbox_text *text) {
    size_t len = 0;
    bool after_space = true, changed = false;
    for (size_t i = 0; i < text->len; i++) {
        uint8_t byte = text->ptr[i];
        bool space = is_space(byte);
        changed |= space && byte != ' ';
        text->ptr[len] = space ? ' ' : byte;
        len += !(space && after_space);
        after_space = space;
    }
    if (len > 0 && after_space) len--;
    changed |= len != text->len;
    text->len = len;
    return changed;
}

static void clean_row(pegbox_row *row, pegbox_outcome *outcome) {
    bool changed = false;
    for (size_t i = 0; i < row->values.len; i++) {
        pegbox_maybe_text *value = &row->values.ptr[i];
        if (value->is_some) changed |= collapse(&value->val);
    }
    const pegbox_maybe_text *first = &row->values.ptr[0];
    if (!first->is_some || pegbox_text_length(first->val) < min_length) {
        pegbox_drop_row(outcome, "too-short");
    } else if (changed) {
        pegbox_replace_row(outcome, row);
    }
}

bool cleaner_clean(pegbox_batch *batch, pegbox_outcome *outcomes) {
    for (size_t i = 0; i < batch->rows.len; i++) clean_row(&batch->rows.ptr[i], &outcomes[i]);
    return true;
}
