/// One forward pass, as a loss or a metric sees it. In shapes, B is the number of rows, C the number of
/// classes (vocabulary size for language modelling), T the padded length in tokens, H the hidden size.
#ifndef PEGBOX_STEP_H
#define PEGBOX_STEP_H

#include "tensor.h"

#ifdef PEGBOX_TENSORS
#ifdef __cplusplus
extern "C" {
#endif

typedef pegbox_plugin_steps_borrow_step_t pegbox_step;

/// Number of this optimizer step, from 0; of this batch, for a metric.
static inline uint64_t pegbox_step_number(pegbox_step step) {
    return pegbox_plugin_steps_method_step_number(step);
}

/// True while training, false while validating or testing.
static inline bool pegbox_step_training(pegbox_step step) {
    return pegbox_plugin_steps_method_step_training(step);
}

/// Numbers of the records in this batch, length B.
static inline plugin_list_u64_t pegbox_step_record_ids(pegbox_step step) {
    plugin_list_u64_t ids;
    pegbox_plugin_steps_method_step_record_ids(step, &ids);
    return ids;
}

/// Class names, index = class id, length C; empty for language modelling.
static inline plugin_list_string_t pegbox_step_classes(pegbox_step step) {
    plugin_list_string_t classes;
    pegbox_plugin_steps_method_step_classes(step, &classes);
    return classes;
}

/// Float `[B, C]` for classification, `[B, T, C]` for tagging and language modelling. Differentiable.
static inline pegbox_tensor pegbox_step_logits(pegbox_step step) {
    return pegbox_track(pegbox_plugin_steps_method_step_logits(step));
}

/// Int `[B]` for classification, `[B, T]` otherwise: class ids in [0, C), also where the mask is false (there
/// the value means nothing).
static inline pegbox_tensor pegbox_step_labels(pegbox_step step) {
    return pegbox_track(pegbox_plugin_steps_method_step_labels(step));
}

/// Bool of the shape of the labels: true where a label counts.
static inline pegbox_tensor pegbox_step_mask(pegbox_step step) {
    return pegbox_track(pegbox_plugin_steps_method_step_mask(step));
}

/// Float of the shape of the labels: the weight of each example; 1 where the recipe gives none.
static inline pegbox_tensor pegbox_step_weights(pegbox_step step) {
    return pegbox_track(pegbox_plugin_steps_method_step_weights(step));
}

/// Float of the shape of the logits, not differentiable. False, and nothing in `teacher`, without a teacher
/// (distillation).
static inline bool pegbox_step_teacher_logits(pegbox_step step, pegbox_tensor *teacher) {
    return pegbox_plugin_steps_method_step_teacher_logits(step, teacher) && (pegbox_track(*teacher), true);
}

/// Number of hidden states at hand: layers + 1 (the first is the embeddings' output), or 0 when the recipe
/// does not ask for them.
static inline uint32_t pegbox_step_hidden_state_count(pegbox_step step) {
    return pegbox_plugin_steps_method_step_hidden_state_count(step);
}

/// Float `[B, T, H]`, differentiable. Ends the call when `layer` is not below the number of them.
static inline pegbox_tensor pegbox_step_hidden_state(pegbox_step step, uint32_t layer) {
    return pegbox_track(pegbox_plugin_steps_method_step_hidden_state(step, layer));
}

/// What a loss returns, from one loss a label: `sum(w * x) / sum(w)` over the labels where the mask holds, w
/// being the weights. Float `[1]`; 0 when no label counts or all weights are 0. `per_label` is float of the
/// shape of the labels; a NaN where the mask does not hold does not matter.
pegbox_tensor pegbox_step_weighted_mean(pegbox_step step, pegbox_tensor per_label);

#ifdef __cplusplus
}
#endif
#endif
#endif
