// What a validator exports.

#include "glue.h"

#ifdef PEGBOX_KIND_VALIDATOR

pegbox_finding *pegbox_find(pegbox_findings *findings, pegbox_severity severity, const char *code, const char *format,
                            ...) {
    if (findings->len == findings->capacity) {
        size_t capacity = 2 * findings->capacity + 8, size = sizeof(pegbox_finding);
        findings->ptr = pegbox_resize(findings->ptr, findings->capacity * size, capacity * size);
        findings->capacity = capacity;
    }
    va_list arguments;
    va_start(arguments, format);
    pegbox_finding *added = &findings->ptr[findings->len++];
    *added = (pegbox_finding){
        .level = (exports_pegbox_plugin_validation_severity_t)severity,
        .code = pegbox_text_of(code),
        .message = pegbox_format_list(format, arguments),
    };
    va_end(arguments);
    return added;
}

void pegbox_find_at(pegbox_finding *finding, const pegbox_row *row, const char *field) {
    finding->row.is_some = true;
    finding->row.val = row->id;
    if (field == NULL) return;
    finding->field.is_some = true;
    finding->field.val = pegbox_text_of(field);
}

void pegbox_find_fix(pegbox_finding *finding, const char *field, pegbox_text value) {
    finding->proposed_fix.is_some = true;
    finding->proposed_fix.val.field = pegbox_text_of(field);
    finding->proposed_fix.val.value = value;
}

// A validator that needs only the row itself leaves these out.

__attribute__((weak)) bool validator_state(pegbox_buffer *state) {
    (void)state;
    return true;
}

__attribute__((weak)) bool validator_merge(pegbox_bytes state) {
    (void)state;
    return true;
}

__attribute__((weak)) bool validator_finish(pegbox_findings *findings) {
    (void)findings;
    return true;
}

bool exports_pegbox_plugin_validation_validate(pegbox_batch *batch,
                                               exports_pegbox_plugin_validation_list_finding_t *result,
                                               pegbox_plugin_types_error_t *error) {
    pegbox_begin();
    pegbox_findings findings = {0};
    bool good = validator_validate(batch, &findings);
    PEGBOX_HAND_OVER(result, findings);
    return pegbox_end(good, error);
}

bool exports_pegbox_plugin_validation_state(plugin_list_u8_t *result, pegbox_plugin_types_error_t *error) {
    pegbox_begin();
    pegbox_buffer state = {0};
    bool good = validator_state(&state);
    PEGBOX_HAND_OVER(result, state);
    return pegbox_end(good, error);
}

bool exports_pegbox_plugin_validation_merge(plugin_list_u8_t *state, pegbox_plugin_types_error_t *error) {
    pegbox_begin();
    return pegbox_end(validator_merge((pegbox_bytes){state->ptr, state->len}), error);
}

bool exports_pegbox_plugin_validation_finish(exports_pegbox_plugin_validation_list_finding_t *result,
                                             pegbox_plugin_types_error_t *error) {
    pegbox_begin();
    pegbox_findings findings = {0};
    bool good = validator_finish(&findings);
    PEGBOX_HAND_OVER(result, findings);
    return pegbox_end(good, error);
}

#endif
