// Handles to tensors: each that a call gets is remembered, and dropped when the call ends.

#include <float.h>
#include <stdlib.h>

#include "glue.h"

#ifdef PEGBOX_TENSORS

static pegbox_tensor *tracked;
static size_t count, capacity;

pegbox_tensor pegbox_track(pegbox_tensor tensor) {
    if (count == capacity) {
        capacity = 2 * capacity + 64;
        tracked = realloc(tracked, capacity * sizeof(tracked[0]));
        if (tracked == NULL) abort();
    }
    return tracked[count++] = tensor;
}

void pegbox_untrack(pegbox_tensor tensor) {
    for (size_t i = count; i-- > 0;) {
        if (tracked[i].__handle == tensor.__handle) {
            tracked[i] = tracked[--count];
            return;
        }
    }
}

void pegbox_release(pegbox_tensor tensor) {
    pegbox_untrack(tensor);
    pegbox_plugin_tensors_tensor_drop_own(tensor);
}

void pegbox_release_all(void) {
    while (count > 0) pegbox_plugin_tensors_tensor_drop_own(tracked[--count]);
}

pegbox_tensor pegbox_concat(const pegbox_tensor *parts, size_t parts_count, int32_t dim) {
    pegbox_plugin_tensors_list_borrow_tensor_t list = {
        // An owned handle lends itself by its number.
        (pegbox_plugin_tensors_borrow_tensor_t *)parts,
        parts_count,
    };
    return pegbox_track(pegbox_plugin_tensors_static_tensor_concat(&list, dim));
}

pegbox_tensor pegbox_step_weighted_mean(pegbox_step step, pegbox_tensor per_label) {
    pegbox_tensor left_out = pegbox_logical_not(pegbox_step_mask(step));
    pegbox_tensor weights = pegbox_masked_fill(pegbox_step_weights(step), left_out, 0);
    pegbox_tensor kept = pegbox_masked_fill(per_label, left_out, 0);
    pegbox_tensor total = pegbox_clamp(pegbox_sum(weights, PEGBOX_ALL), 1e-12f, FLT_MAX);
    return pegbox_div(pegbox_sum(pegbox_mul(kept, weights), PEGBOX_ALL), total);
}

#endif
