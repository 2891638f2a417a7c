// What every plugin exports.

#include "glue.h"

static const pegbox_plugin_types_kind_t kinds[] = {
#ifdef PEGBOX_KIND_CLEANER
    PEGBOX_PLUGIN_TYPES_KIND_CLEANER,
#endif
#ifdef PEGBOX_KIND_VALIDATOR
    PEGBOX_PLUGIN_TYPES_KIND_VALIDATOR,
#endif
#ifdef PEGBOX_KIND_LOSS
    PEGBOX_PLUGIN_TYPES_KIND_LOSS,
#endif
#ifdef PEGBOX_KIND_METRIC
    PEGBOX_PLUGIN_TYPES_KIND_METRIC,
#endif
#ifdef PEGBOX_KIND_EXPORTER
    PEGBOX_PLUGIN_TYPES_KIND_EXPORTER,
#endif
};

void exports_pegbox_plugin_lifecycle_describe(exports_pegbox_plugin_lifecycle_description_t *description) {
    pegbox_begin();
    description->name = pegbox_text_of(PEGBOX_PLUGIN_NAME);
    description->version = pegbox_text_of(PEGBOX_PLUGIN_VERSION);
    description->kinds.ptr = (pegbox_plugin_types_kind_t *)kinds;
    description->kinds.len = sizeof(kinds) / sizeof(kinds[0]);
    description->configuration_schema = pegbox_text_of(configuration_schema);
    pegbox_end(true, NULL);
}

bool exports_pegbox_plugin_lifecycle_configure(plugin_string_t *json, pegbox_plugin_types_error_t *error) {
    pegbox_begin();
    const pegbox_json *configuration = pegbox_json_parse(*json);
    bool good = configuration != NULL && configuration->type == PEGBOX_JSON_OBJECT
                    ? configure(configuration)
                    : pegbox_fail("the configuration is not a JSON object");
    good = pegbox_end(good, error);
    if (good) pegbox_keep_memory();
    return good;
}
