//! One forward pass, as a loss or a metric sees it.

const std = @import("std");
const c = @import("bindings");
const call = @import("call.zig");
const Tensor = @import("tensor.zig").Tensor;

/// The step that a call is about. In shapes, B is the number of rows, C the number of classes (vocabulary
/// size for language modelling), T the padded length in tokens, H the hidden size.
pub const Step = struct {
    raw: c.pegbox_plugin_steps_borrow_step_t,

    /// Number of this optimizer step, from 0; of this batch, for a metric.
    pub fn number(self: Step) u64 {
        return c.pegbox_plugin_steps_method_step_number(self.raw);
    }

    /// True while training, false while validating or testing.
    pub fn training(self: Step) bool {
        return c.pegbox_plugin_steps_method_step_training(self.raw);
    }

    /// Numbers of the records in this batch, length B.
    pub fn recordIds(self: Step) []const u64 {
        var ids: c.plugin_list_u64_t = undefined;
        c.pegbox_plugin_steps_method_step_record_ids(self.raw, &ids);
        return call.slice(ids);
    }

    /// Class names, index = class id, length C; empty for language modelling.
    pub fn classes(self: Step) ![]const []const u8 {
        var names: c.plugin_list_string_t = undefined;
        c.pegbox_plugin_steps_method_step_classes(self.raw, &names);
        const copies = try call.arena.alloc([]const u8, names.len);
        for (copies, call.slice(names)) |*copy, name| copy.* = call.slice(name);
        return copies;
    }

    /// Float `[B, C]` for classification, `[B, T, C]` for tagging and language modelling. Differentiable.
    pub fn logits(self: Step) Tensor {
        return .track(c.pegbox_plugin_steps_method_step_logits(self.raw));
    }

    /// Int `[B]` for classification, `[B, T]` otherwise: class ids in [0, C), also where the mask is false
    /// (there the value means nothing).
    pub fn labels(self: Step) Tensor {
        return .track(c.pegbox_plugin_steps_method_step_labels(self.raw));
    }

    /// Bool of the shape of the labels: true where a label counts.
    pub fn mask(self: Step) Tensor {
        return .track(c.pegbox_plugin_steps_method_step_mask(self.raw));
    }

    /// Float of the shape of the labels: the weight of each example; 1 where the recipe gives none.
    pub fn weights(self: Step) Tensor {
        return .track(c.pegbox_plugin_steps_method_step_weights(self.raw));
    }

    /// Float of the shape of the logits, not differentiable; only with a teacher (distillation).
    pub fn teacherLogits(self: Step) ?Tensor {
        var teacher: c.pegbox_plugin_tensors_own_tensor_t = undefined;
        return if (c.pegbox_plugin_steps_method_step_teacher_logits(self.raw, &teacher)) .track(teacher) else null;
    }

    /// Number of hidden states at hand: layers + 1 (the first is the embeddings' output), or 0 when the
    /// recipe does not ask for them.
    pub fn hiddenStateCount(self: Step) u32 {
        return c.pegbox_plugin_steps_method_step_hidden_state_count(self.raw);
    }

    /// Float `[B, T, H]`, differentiable. Ends the call when `layer` is not below the number of them.
    pub fn hiddenState(self: Step, layer: u32) Tensor {
        return .track(c.pegbox_plugin_steps_method_step_hidden_state(self.raw, layer));
    }

    /// What a loss returns, from one loss a label: `sum(w * x) / sum(w)` over the labels where the mask
    /// holds, w being the weights. Float `[1]`; 0 when no label counts or all weights are 0. `per_label` is
    /// float of the shape of the labels; a NaN where the mask does not hold does not matter.
    pub fn weightedMean(self: Step, per_label: Tensor) Tensor {
        const left_out = self.mask().logicalNot();
        const counting = self.weights().maskedFill(left_out, 0);
        const kept = per_label.maskedFill(left_out, 0);
        const total = counting.sum(&.{}).clamp(1e-12, std.math.floatMax(f32));
        return kept.mul(counting).sum(&.{}).div(total);
    }
};
