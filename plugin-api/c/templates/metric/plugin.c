// Accuracy, and how sure the model is of its answers on average.
//
// The work stays on the device: a batch brings three numbers back.

#include <string.h>

#include "pegbox.h"

const char *const configuration_schema = PEGBOX_JSON({"type": "object", "additionalProperties": false});

bool configure(const pegbox_json *configuration) {
    (void)configuration;
    return true;
}

// Sums over all labels seen. As bytes they are the state: WebAssembly is little-endian.
static struct {
    double correct;
    double confidence;
    double count;
} sums;

bool metric_update(pegbox_step step) {
    pegbox_tensor logits = pegbox_step_logits(step), labels = pegbox_step_labels(step);
    plugin_list_u32_t shape = pegbox_shape(labels);
    int32_t sizes[8];
    for (size_t i = 0; i < shape.len; i++) sizes[i] = (int32_t)shape.ptr[i];
    plugin_list_s32_t of_labels = {sizes, shape.len};

    pegbox_tensor counts = pegbox_to_float(pegbox_step_mask(step));
    pegbox_tensor answers = pegbox_reshape(pegbox_argmax(logits, -1), of_labels);
    pegbox_tensor correct = pegbox_to_float(pegbox_equal(answers, labels));
    pegbox_tensor largest = pegbox_reshape(pegbox_max(pegbox_softmax(logits, -1), PEGBOX_DIMS(-1)), of_labels);

    sums.correct += pegbox_read_scalar(pegbox_sum(pegbox_mul(correct, counts), PEGBOX_ALL));
    sums.confidence += pegbox_read_scalar(pegbox_sum(pegbox_mul(largest, counts), PEGBOX_ALL));
    sums.count += pegbox_read_scalar(pegbox_sum(counts, PEGBOX_ALL));
    return true;
}

bool metric_state(pegbox_buffer *state) {
    pegbox_put(state, &sums, sizeof(sums));
    return true;
}

bool metric_merge(pegbox_bytes state) {
    double other[3];
    if (state.len != sizeof(other)) {
        return pegbox_fail("the state to merge has %zu bytes instead of %zu", state.len, sizeof(other));
    }
    memcpy(other, state.ptr, sizeof(other));
    sums.correct += other[0];
    sums.confidence += other[1];
    sums.count += other[2];
    return true;
}

bool metric_compute(pegbox_report *report) {
    double count = sums.count > 0 ? sums.count : 1;
    pegbox_score(report, "accuracy", sums.correct / count, true);
    pegbox_score(report, "mean-confidence", sums.confidence / count, true);
    return true;
}

void metric_reset(void) {
    memset(&sums, 0, sizeof(sums));
}
