// What an exporter reads, writes and exports.

#include "glue.h"

#ifdef PEGBOX_KIND_EXPORTER

pegbox_text pegbox_model_configuration(pegbox_model model) {
    pegbox_text text;
    pegbox_plugin_artifacts_method_model_configuration(model, &text);
    return text;
}

plugin_list_string_t pegbox_model_labels(pegbox_model model) {
    plugin_list_string_t labels;
    pegbox_plugin_artifacts_method_model_labels(model, &labels);
    return labels;
}

pegbox_text pegbox_model_metrics(pegbox_model model) {
    pegbox_text text;
    pegbox_plugin_artifacts_method_model_metrics(model, &text);
    return text;
}

pegbox_text pegbox_model_provenance(pegbox_model model) {
    pegbox_text text;
    pegbox_plugin_artifacts_method_model_provenance(model, &text);
    return text;
}

pegbox_plugin_artifacts_list_model_file_t pegbox_model_tokenizer_files(pegbox_model model) {
    pegbox_plugin_artifacts_list_model_file_t files;
    pegbox_plugin_artifacts_method_model_tokenizer_files(model, &files);
    return files;
}

pegbox_plugin_artifacts_list_tensor_info_t pegbox_model_tensors(pegbox_model model) {
    pegbox_plugin_artifacts_list_tensor_info_t tensors;
    pegbox_plugin_artifacts_method_model_tensors(model, &tensors);
    return tensors;
}

pegbox_bytes pegbox_model_read(pegbox_model model, pegbox_text name, uint64_t start, uint64_t count,
                               pegbox_element element) {
    plugin_list_u8_t bytes;
    pegbox_plugin_artifacts_method_model_read(model, &name, start, count, (pegbox_plugin_artifacts_element_t)element,
                                              &bytes);
    return (pegbox_bytes){bytes.ptr, bytes.len};
}

void pegbox_bundle_create(pegbox_bundle bundle, pegbox_text path) {
    pegbox_plugin_artifacts_method_bundle_create(bundle, &path);
}

void pegbox_bundle_append(pegbox_bundle bundle, pegbox_text path, const void *bytes, size_t len) {
    plugin_list_u8_t content = {(uint8_t *)bytes, len};
    pegbox_plugin_artifacts_method_bundle_append(bundle, &path, &content);
}

void pegbox_bundle_append_tensor(pegbox_bundle bundle, pegbox_text path, pegbox_model model,
                                 const pegbox_tensor_info *tensor, pegbox_element element) {
    enum { PIECE = 1 << 20 };
    uint64_t total = 1;
    for (size_t i = 0; i < tensor->shape.len; i++) total *= tensor->shape.ptr[i];
    for (uint64_t start = 0; start < total; start += PIECE) {
        pegbox_mark_t mark = pegbox_mark();
        uint64_t left = total - start;
        pegbox_bytes piece = pegbox_model_read(model, tensor->name, start, left < PIECE ? left : PIECE, element);
        pegbox_bundle_append(bundle, path, piece.ptr, piece.len);
        pegbox_rewind(mark);
    }
}

bool exports_pegbox_plugin_exporting_export_model(pegbox_model model, pegbox_bundle bundle,
                                                  pegbox_plugin_types_error_t *error) {
    pegbox_begin();
    bool good = exporter_export(model, bundle);
    pegbox_plugin_artifacts_model_drop_borrow(model);
    pegbox_plugin_artifacts_bundle_drop_borrow(bundle);
    return pegbox_end(good, error);
}

#endif
