// Finds labels that are missing, unknown, or too rare to learn from.

#include <stdlib.h>
#include <string.h>

#include "pegbox.h"

const char *const configuration_schema = PEGBOX_JSON({
    "type": "object",
    "additionalProperties": false,
    "properties": {
        "labels": {
            "type": "array",
            "items": { "type": "string" },
            "default": [],
            "description": "The labels that are allowed; any, if there are none here"
        },
        "min-count": {
            "type": "integer",
            "minimum": 0,
            "default": 1,
            "description": "A label on fewer records is reported as rare"
        }
    }
});

static const pegbox_json *allowed;
static uint64_t min_count;

bool configure(const pegbox_json *configuration) {
    // What `configure` is given lives as long as the plugin.
    allowed = pegbox_json_get(configuration, "labels");
    min_count = (uint64_t)pegbox_json_number(configuration, "min-count", 1);
    return true;
}

// How often each label was seen, sorted by label. It outlives the calls, so it is ours to allocate.
typedef struct {
    pegbox_text label;
    uint64_t count;
} entry;

static entry *seen;
static size_t seen_len, seen_capacity;

static void add(pegbox_text label, uint64_t count) {
    size_t low = 0, high = seen_len;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = pegbox_text_compare(seen[middle].label, label);
        if (order == 0) {
            seen[middle].count += count;
            return;
        }
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    if (seen_len == seen_capacity) {
        seen_capacity = 2 * seen_capacity + 16;
        seen = realloc(seen, seen_capacity * sizeof(entry));
        if (seen == NULL) abort();
    }
    pegbox_text copy = {malloc(label.len + 1), label.len};
    if (copy.ptr == NULL) abort();
    memcpy(copy.ptr, label.ptr, label.len);
    memmove(&seen[low + 1], &seen[low], (seen_len - low) * sizeof(entry));
    seen[low] = (entry){copy, count};
    seen_len++;
}

static bool is_allowed(pegbox_text label) {
    if (allowed == NULL || allowed->count == 0) return true;
    for (pegbox_json_each(one, allowed)) {
        if (pegbox_text_compare(one->string, label) == 0) return true;
    }
    return false;
}

bool validator_validate(const pegbox_batch *batch, pegbox_findings *findings) {
    int field = pegbox_field(batch, "label");
    if (field < 0) {
        return pegbox_fail_help("write `fields = [\"text\", \"label\"]` under [records] in plugin.toml",
                                "there is no field `label`");
    }
    for (size_t i = 0; i < batch->rows.len; i++) {
        const pegbox_row *row = &batch->rows.ptr[i];
        const pegbox_maybe_text *label = &row->values.ptr[field];
        pegbox_finding *found = NULL;
        if (!label->is_some) {
            found = pegbox_find(findings, PEGBOX_SEVERITY_ERROR, "unknown-label", "there is no label");
        } else {
            add(label->val, 1);
            if (!is_allowed(label->val)) {
                found = pegbox_find(findings, PEGBOX_SEVERITY_ERROR, "unknown-label",
                                    "the label \"%.*s\" is not one of the %zu that are allowed",
                                    PEGBOX_PRINT(label->val), allowed->count);
            }
        }
        if (found != NULL) pegbox_find_at(found, row, "label");
    }
    return true;
}

bool validator_state(pegbox_buffer *state) {
    pegbox_put_format(state, "{");
    for (size_t i = 0; i < seen_len; i++) {
        if (i > 0) pegbox_put_format(state, ",");
        pegbox_put_json_text(state, seen[i].label);
        pegbox_put_format(state, ":%llu", seen[i].count);
    }
    pegbox_put_format(state, "}");
    return true;
}

bool validator_merge(pegbox_bytes state) {
    const pegbox_json *counts = pegbox_json_parse((pegbox_text){state.ptr, state.len});
    if (counts == NULL || counts->type != PEGBOX_JSON_OBJECT) {
        return pegbox_fail("the state to merge is not a JSON object");
    }
    for (pegbox_json_each(label, counts)) add(label->key, (uint64_t)label->number);
    return true;
}

bool validator_finish(pegbox_findings *findings) {
    for (size_t i = 0; i < seen_len; i++) {
        if (seen[i].count >= min_count) continue;
        pegbox_find(findings, PEGBOX_SEVERITY_WARNING, "rare-label",
                    "the label \"%.*s\" has %llu records, fewer than %llu", PEGBOX_PRINT(seen[i].label),
                    seen[i].count, min_count);
    }
    return true;
}
