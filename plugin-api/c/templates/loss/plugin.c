// Focal loss (Lin et al. 2017): cross-entropy that looks away from what the model is sure of.
//
//   loss = sum(w (1 - p)^gamma -log p) / sum(w)     p being the probability of the label, w its weight

#include "pegbox.h"

const char *const configuration_schema = PEGBOX_JSON({
    "type": "object",
    "additionalProperties": false,
    "properties": {
        "gamma": {
            "type": "number",
            "minimum": 0,
            "default": 2.0,
            "description": "How strongly the loss looks away from sure labels; 0 is cross-entropy"
        }
    }
});

static float gamma_;

bool configure(const pegbox_json *configuration) {
    gamma_ = (float)pegbox_json_number(configuration, "gamma", 2.0);
    return true;
}

// The log-probability of each label: `[B, C]` to `[B]`, `[B, T, C]` to `[B, T]`.
static pegbox_tensor log_of_labels(pegbox_step step) {
    pegbox_tensor labels = pegbox_step_labels(step);
    plugin_list_u32_t shape = pegbox_shape(labels);
    int32_t sizes[9];
    for (size_t i = 0; i < shape.len; i++) sizes[i] = (int32_t)shape.ptr[i];
    sizes[shape.len] = 1;
    pegbox_tensor index = pegbox_reshape(labels, (plugin_list_s32_t){sizes, shape.len + 1});
    pegbox_tensor picked = pegbox_gather(pegbox_log_softmax(pegbox_step_logits(step), -1), -1, index);
    return pegbox_reshape(picked, (plugin_list_s32_t){sizes, shape.len});
}

bool loss_compute(pegbox_step step, pegbox_tensor *loss) {
    pegbox_tensor log_p = log_of_labels(step);
    pegbox_tensor surprise = pegbox_add_scalar(pegbox_neg(pegbox_exp(log_p)), 1);
    // Not 0, where a power below 1 has no slope.
    pegbox_tensor focus = pegbox_pow_scalar(pegbox_clamp(surprise, 1e-7f, 1), gamma_);
    *loss = pegbox_step_weighted_mean(step, pegbox_neg(pegbox_mul(focus, log_p)));
    return true;
}
