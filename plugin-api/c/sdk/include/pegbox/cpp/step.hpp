/// One forward pass, as a loss or a metric sees it, and what a metric reports.
#pragma once

#include <optional>
#include <vector>

#include "../kinds.h"
#include "../step.h"
#include "result.hpp"
#include "tensor.hpp"

#ifdef PEGBOX_TENSORS
namespace pegbox {

/// The step that a call is about. In shapes, B is the number of rows, C the number of classes (vocabulary
/// size for language modelling), T the padded length in tokens, H the hidden size.
class Step {
public:
    explicit Step(pegbox_step raw) : raw(raw) {}

    /// Number of this optimizer step, from 0; of this batch, for a metric.
    uint64_t number() const { return pegbox_step_number(raw); }
    /// True while training, false while validating or testing.
    bool training() const { return pegbox_step_training(raw); }
    /// Numbers of the records in this batch, length B.
    std::span<const uint64_t> record_ids() const {
        auto ids = pegbox_step_record_ids(raw);
        return {ids.ptr, ids.len};
    }
    /// Class names, index = class id, length C; empty for language modelling.
    std::vector<std::string_view> classes() const {
        auto names = pegbox_step_classes(raw);
        std::vector<std::string_view> all;
        for (size_t i = 0; i < names.len; i++) all.push_back(detail::view(names.ptr[i]));
        return all;
    }

    /// Float `[B, C]` for classification, `[B, T, C]` for tagging and language modelling. Differentiable.
    Tensor logits() const { return Tensor(pegbox_step_logits(raw)); }
    /// Int `[B]` for classification, `[B, T]` otherwise: class ids in [0, C), also where the mask is false
    /// (there the value means nothing).
    Tensor labels() const { return Tensor(pegbox_step_labels(raw)); }
    /// Bool of the shape of the labels: true where a label counts.
    Tensor mask() const { return Tensor(pegbox_step_mask(raw)); }
    /// Float of the shape of the labels: the weight of each example; 1 where the recipe gives none.
    Tensor weights() const { return Tensor(pegbox_step_weights(raw)); }
    /// Float of the shape of the logits, not differentiable; only with a teacher (distillation).
    std::optional<Tensor> teacher_logits() const {
        pegbox_tensor teacher;
        if (!pegbox_step_teacher_logits(raw, &teacher)) return std::nullopt;
        return Tensor(teacher);
    }
    /// Number of hidden states at hand: layers + 1 (the first is the embeddings' output), or 0 when the
    /// recipe does not ask for them.
    uint32_t hidden_state_count() const { return pegbox_step_hidden_state_count(raw); }
    /// Float `[B, T, H]`, differentiable. Ends the call when `layer` is not below the number of them.
    Tensor hidden_state(uint32_t layer) const { return Tensor(pegbox_step_hidden_state(raw, layer)); }

    /// What a loss returns, from one loss a label: `sum(w * x) / sum(w)` over the labels where the mask
    /// holds, w being the weights. Float `[1]`; 0 when no label counts or all weights are 0. `per_label` is
    /// float of the shape of the labels; a NaN where the mask does not hold does not matter.
    Tensor weighted_mean(const Tensor &per_label) const {
        return Tensor(pegbox_step_weighted_mean(raw, per_label.handle()));
    }

private:
    pegbox_step raw;
};

#ifdef PEGBOX_KIND_METRIC

/// What a metric reports.
class Report {
public:
    explicit Report(pegbox_report *raw) : raw(raw) {}

    /// `name` is kebab-case; a recipe's `select-by` names it.
    void score(const char *name, double value, bool higher_is_better) {
        pegbox_score(raw, name, value, higher_is_better);
    }
    /// Something that is not one number, such as a confusion matrix. `name` is a file name without folders.
    void detail(const char *name, const char *media_type, std::string_view content) {
        pegbox_detail(raw, name, media_type, ::pegbox::detail::copy(content));
    }

private:
    pegbox_report *raw;
};

#endif

} // namespace pegbox
#endif
