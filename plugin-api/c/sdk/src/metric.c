// What a metric exports.

#include "glue.h"

#ifdef PEGBOX_KIND_METRIC

struct pegbox_report {
    exports_pegbox_plugin_measurement_report_t lists;
};

void pegbox_score(pegbox_report *report, const char *name, double value, bool higher_is_better) {
    exports_pegbox_plugin_measurement_list_score_t *scores = &report->lists.scores;
    size_t size = sizeof(scores->ptr[0]);
    scores->ptr = pegbox_resize(scores->ptr, scores->len * size, (scores->len + 1) * size);
    scores->ptr[scores->len++] = (exports_pegbox_plugin_measurement_score_t){
        .name = pegbox_text_of(name),
        .value = value,
        .higher_is_better = higher_is_better,
    };
}

void pegbox_detail(pegbox_report *report, const char *name, const char *media_type, pegbox_text content) {
    exports_pegbox_plugin_measurement_list_detail_t *details = &report->lists.details;
    size_t size = sizeof(details->ptr[0]);
    details->ptr = pegbox_resize(details->ptr, details->len * size, (details->len + 1) * size);
    details->ptr[details->len++] = (exports_pegbox_plugin_measurement_detail_t){
        .name = pegbox_text_of(name),
        .media_type = pegbox_text_of(media_type),
        .content = content,
    };
}

bool exports_pegbox_plugin_measurement_update(pegbox_step step, pegbox_plugin_types_error_t *error) {
    pegbox_begin();
    bool good = metric_update(step);
    pegbox_plugin_steps_step_drop_borrow(step);
    return pegbox_end(good, error);
}

bool exports_pegbox_plugin_measurement_state(plugin_list_u8_t *result, pegbox_plugin_types_error_t *error) {
    pegbox_begin();
    pegbox_buffer state = {0};
    bool good = metric_state(&state);
    PEGBOX_HAND_OVER(result, state);
    return pegbox_end(good, error);
}

bool exports_pegbox_plugin_measurement_merge(plugin_list_u8_t *state, pegbox_plugin_types_error_t *error) {
    pegbox_begin();
    return pegbox_end(metric_merge((pegbox_bytes){state->ptr, state->len}), error);
}

bool exports_pegbox_plugin_measurement_compute(exports_pegbox_plugin_measurement_report_t *result,
                                               pegbox_plugin_types_error_t *error) {
    pegbox_begin();
    pegbox_report report = {0};
    bool good = metric_compute(&report);
    *result = report.lists;
    return pegbox_end(good, error);
}

void exports_pegbox_plugin_measurement_reset(void) {
    pegbox_begin();
    metric_reset();
    pegbox_end(true, NULL);
}

#endif
