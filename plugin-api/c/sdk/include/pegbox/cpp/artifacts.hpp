/// What an exporter reads and writes. There is no file system.
#pragma once

#include <span>
#include <vector>

#include "../artifacts.h"
#include "result.hpp"

#ifdef PEGBOX_KIND_EXPORTER
namespace pegbox {

enum class Element { float32 = PEGBOX_FLOAT32, float16 = PEGBOX_FLOAT16, bfloat16 = PEGBOX_BFLOAT16 };

/// A tensor of the model.
struct TensorInfo {
    const pegbox_tensor_info *raw;

    /// The Hugging Face name, for example `bert.encoder.layer.0.attention.self.query.weight`.
    std::string_view name() const { return detail::view(raw->name); }
    std::span<const uint64_t> shape() const { return {raw->shape.ptr, raw->shape.len}; }
};

/// A file that came with the base model and describes the tokenizer, such as `tokenizer.json`.
struct ModelFile {
    std::string_view path;
    std::string_view content;
};

/// The trained model, read-only.
class Model {
public:
    explicit Model(pegbox_model raw) : raw(raw) {}

    /// config.json of the trained model: the base model's, with its labels and architecture set.
    std::string_view configuration() const { return detail::view(pegbox_model_configuration(raw)); }
    /// JSON object: scores of the evaluation by part and metric, `{"test": {"accuracy": 0.93}}`.
    std::string_view metrics() const { return detail::view(pegbox_model_metrics(raw)); }
    /// JSON object: base model and its licence, dataset digests, plugins, recipe, seed, Pegbox's version.
    std::string_view provenance() const { return detail::view(pegbox_model_provenance(raw)); }

    /// Class names, index = class id.
    std::vector<std::string_view> labels() const {
        auto list = pegbox_model_labels(raw);
        std::vector<std::string_view> all;
        for (size_t i = 0; i < list.len; i++) all.push_back(detail::view(list.ptr[i]));
        return all;
    }
    /// tokenizer.json, tokenizer_config.json, vocab.txt and so on: those that the base model has.
    std::vector<ModelFile> tokenizer_files() const {
        auto list = pegbox_model_tokenizer_files(raw);
        std::vector<ModelFile> all;
        for (size_t i = 0; i < list.len; i++) {
            const auto &content = list.ptr[i].content;
            all.push_back({detail::view(list.ptr[i].path), detail::view({content.ptr, content.len})});
        }
        return all;
    }
    /// Every tensor of the model, in the order in which they are best written.
    std::vector<TensorInfo> tensors() const {
        auto list = pegbox_model_tensors(raw);
        std::vector<TensorInfo> all;
        for (size_t i = 0; i < list.len; i++) all.push_back({&list.ptr[i]});
        return all;
    }
    /// `count` elements of the tensor `name`, row-major from element `start`, little-endian. Ends the call
    /// when there is no such tensor or range, and above 16 MiB.
    std::string_view read(std::string_view name, uint64_t start, uint64_t count, Element element) const {
        auto bytes = pegbox_model_read(raw, detail::lend(name), start, count, pegbox_element(element));
        return detail::view({bytes.ptr, bytes.len});
    }

    pegbox_model handle() const { return raw; }

private:
    pegbox_model raw;
};

/// The artifact being written. It appears at the recipe's `to` when `export_model` returns without an error,
/// whole; after an error nothing of it remains.
class Bundle {
public:
    explicit Bundle(pegbox_bundle raw) : raw(raw) {}

    /// Starts an empty file. `path` is relative, with `/` between its parts; one that could leave the bundle,
    /// or was created before, ends the call.
    void create(std::string_view path) const { pegbox_bundle_create(raw, detail::lend(path)); }
    /// Adds to the end of a file that was created.
    void append(std::string_view path, std::string_view content) const {
        pegbox_bundle_append(raw, detail::lend(path), content.data(), content.size());
    }
    /// A file with this content, whole.
    void write(std::string_view path, std::string_view content) const {
        create(path);
        append(path, content);
    }
    /// Adds a whole tensor to the end of a file, in pieces of at most 1 Mi elements: memory for one piece is
    /// enough for any model.
    void append(std::string_view path, const Model &model, const TensorInfo &tensor, Element element) const {
        pegbox_bundle_append_tensor(raw, detail::lend(path), model.handle(), tensor.raw, pegbox_element(element));
    }

private:
    pegbox_bundle raw;
};

} // namespace pegbox
#endif
