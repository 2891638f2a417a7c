/// What an exporter reads and writes. There is no file system.
#ifndef PEGBOX_ARTIFACTS_H
#define PEGBOX_ARTIFACTS_H

#include "text.h"

#ifdef PEGBOX_KIND_EXPORTER
#ifdef __cplusplus
extern "C" {
#endif

/// The trained model, read-only.
typedef pegbox_plugin_artifacts_borrow_model_t pegbox_model;

/// The artifact being written. It appears at the recipe's `to` when `exporter_export` returns true, whole;
/// after an error nothing of it remains.
typedef pegbox_plugin_artifacts_borrow_bundle_t pegbox_bundle;

/// `name` (the Hugging Face name) and `shape`.
typedef pegbox_plugin_artifacts_tensor_info_t pegbox_tensor_info;

typedef enum {
    PEGBOX_FLOAT32 = PEGBOX_PLUGIN_ARTIFACTS_ELEMENT_FLOAT32,
    PEGBOX_FLOAT16 = PEGBOX_PLUGIN_ARTIFACTS_ELEMENT_FLOAT16,
    PEGBOX_BFLOAT16 = PEGBOX_PLUGIN_ARTIFACTS_ELEMENT_BFLOAT16,
} pegbox_element;

/// config.json of the trained model: the base model's, with its labels and architecture set.
pegbox_text pegbox_model_configuration(pegbox_model model);
/// Class names, index = class id.
plugin_list_string_t pegbox_model_labels(pegbox_model model);
/// JSON object: scores of the evaluation by part and metric, `{"test": {"accuracy": 0.93}}`.
pegbox_text pegbox_model_metrics(pegbox_model model);
/// JSON object: base model and its licence, dataset digests, plugins, recipe, seed, Pegbox's version.
pegbox_text pegbox_model_provenance(pegbox_model model);
/// tokenizer.json, tokenizer_config.json, vocab.txt and so on: those that the base model has.
pegbox_plugin_artifacts_list_model_file_t pegbox_model_tokenizer_files(pegbox_model model);
/// Every tensor of the model, in the order in which they are best written.
pegbox_plugin_artifacts_list_tensor_info_t pegbox_model_tensors(pegbox_model model);

/// `count` elements of the tensor `name`, row-major from element `start`, little-endian. Ends the call when
/// there is no such tensor or range, and above 16 MiB.
pegbox_bytes pegbox_model_read(pegbox_model model, pegbox_text name, uint64_t start, uint64_t count,
                               pegbox_element element);

/// Starts an empty file. `path` is relative, with `/` between its parts; one that could leave the bundle, or
/// was created before, ends the call.
void pegbox_bundle_create(pegbox_bundle bundle, pegbox_text path);

/// Adds to the end of a file that was created.
void pegbox_bundle_append(pegbox_bundle bundle, pegbox_text path, const void *bytes, size_t len);

/// Adds a whole tensor to the end of a file, in pieces of at most 1 Mi elements: memory for one piece is
/// enough for any model.
void pegbox_bundle_append_tensor(pegbox_bundle bundle, pegbox_text path, pegbox_model model,
                                 const pegbox_tensor_info *tensor, pegbox_element element);

#ifdef __cplusplus
}
#endif
#endif
#endif
