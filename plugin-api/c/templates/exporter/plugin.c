// Writes the model's configuration, its labels, and each tensor as a NumPy file.

#include <inttypes.h>

#include "pegbox.h"

const char *const configuration_schema = PEGBOX_JSON({"type": "object", "additionalProperties": false});

bool configure(const pegbox_json *configuration) {
    (void)configuration;
    return true;
}

// The head of a file of NumPy's format 1.0: what the numbers are, padded to a multiple of 64 bytes.
static void put_npy_head(pegbox_buffer *file, const pegbox_tensor_info *tensor) {
    pegbox_buffer text = {0};
    pegbox_put_format(&text, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (size_t i = 0; i < tensor->shape.len; i++) {
        pegbox_put_format(&text, i == 0 ? "%" PRIu64 : ", %" PRIu64, tensor->shape.ptr[i]);
    }
    pegbox_put_format(&text, tensor->shape.len == 1 ? ",), }" : "), }");
    while ((10 + text.len + 1) % 64 != 0) pegbox_put_format(&text, " ");
    pegbox_put_format(&text, "\n");

    pegbox_put(file, "\x93NUMPY\x01\x00", 8);
    pegbox_put(file, (uint8_t[]){text.len & 255, text.len >> 8 & 255}, 2);
    pegbox_put(file, text.ptr, text.len);
}

static void write_file(pegbox_bundle bundle, const char *path, pegbox_text content) {
    pegbox_bundle_create(bundle, pegbox_text_of(path));
    pegbox_bundle_append(bundle, pegbox_text_of(path), content.ptr, content.len);
}

bool exporter_export(pegbox_model model, pegbox_bundle bundle) {
    write_file(bundle, "config.json", pegbox_model_configuration(model));

    pegbox_buffer lines = {0};
    plugin_list_string_t labels = pegbox_model_labels(model);
    for (size_t i = 0; i < labels.len; i++) pegbox_put_format(&lines, "%.*s\n", PEGBOX_PRINT(labels.ptr[i]));
    write_file(bundle, "labels.txt", (pegbox_text){lines.ptr, lines.len});

    pegbox_plugin_artifacts_list_tensor_info_t tensors = pegbox_model_tensors(model);
    for (size_t i = 0; i < tensors.len; i++) {
        const pegbox_tensor_info *tensor = &tensors.ptr[i];
        pegbox_text path = pegbox_format("tensors/%.*s.npy", PEGBOX_PRINT(tensor->name));
        pegbox_buffer head = {0};
        put_npy_head(&head, tensor);
        pegbox_bundle_create(bundle, path);
        pegbox_bundle_append(bundle, path, head.ptr, head.len);
        pegbox_bundle_append_tensor(bundle, path, model, tensor, PEGBOX_FLOAT32);
    }
    return true;
}
