// What a cleaner exports.

#include "glue.h"

#ifdef PEGBOX_KIND_CLEANER

void pegbox_replace_row(pegbox_outcome *outcome, const pegbox_row *row) {
    outcome->tag = EXPORTS_PEGBOX_PLUGIN_CLEANING_OUTCOME_REPLACE;
    outcome->val.replace = row->values;
}

void pegbox_drop_row(pegbox_outcome *outcome, const char *reason) {
    outcome->tag = EXPORTS_PEGBOX_PLUGIN_CLEANING_OUTCOME_DROP;
    outcome->val.drop = pegbox_text_of(reason);
}

void pegbox_split_row(pegbox_outcome *outcome, const pegbox_row *rows, size_t count) {
    outcome->tag = EXPORTS_PEGBOX_PLUGIN_CLEANING_OUTCOME_SPLIT;
    plugin_list_list_option_string_t *split = &outcome->val.split;
    split->ptr = pegbox_alloc(count * sizeof(split->ptr[0]));
    split->len = count;
    for (size_t i = 0; i < count; i++) split->ptr[i] = rows[i].values;
}

bool exports_pegbox_plugin_cleaning_clean(pegbox_batch *batch, exports_pegbox_plugin_cleaning_list_outcome_t *outcomes,
                                          pegbox_plugin_types_error_t *error) {
    pegbox_begin();
    outcomes->len = batch->rows.len;
    // All zeroes is "keep".
    outcomes->ptr = pegbox_alloc(outcomes->len * sizeof(pegbox_outcome));
    return pegbox_end(cleaner_clean(batch, outcomes->ptr), error);
}

#endif
