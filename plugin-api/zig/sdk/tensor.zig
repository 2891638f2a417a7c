//! Handles to tensors that live on the host's device.

const std = @import("std");
const c = @import("bindings");
const call = @import("call.zig");

pub const DType = enum(u8) {
    /// IEEE float, 32 bits towards the plugin.
    float = c.PEGBOX_PLUGIN_TENSORS_DTYPE_FLOAT,
    /// Signed integer.
    int = c.PEGBOX_PLUGIN_TENSORS_DTYPE_INT,
    /// Truth value; the result of comparisons.
    bool = c.PEGBOX_PLUGIN_TENSORS_DTYPE_BOOLEAN,
};

/// The handles that the call has got. They are dropped when it ends.
var tracked: std.ArrayList(Raw) = .empty;

const Raw = c.pegbox_plugin_tensors_own_tensor_t;

/// Drops every handle of the call but `result`, which goes to the host.
pub fn releaseAll(result: ?Tensor) void {
    for (tracked.items) |raw| {
        if (result == null or raw.__handle != result.?.raw.__handle) c.pegbox_plugin_tensors_tensor_drop_own(raw);
    }
    tracked.clearRetainingCapacity();
}

/// A tensor of the host. The plugin holds a handle; the host runs each operation where the data is and
/// records it for automatic differentiation: the gradient of a loss comes for free, and no data crosses the
/// boundary unless `read` asks (which needs the permission `read-tensors`).
///
/// - Shapes are dimension sizes, outermost first; rank 1 to 8, every size at least 1. A scalar has shape
///   `[1]`.
/// - A dimension counts from 0, or from the end when negative: -1 is the last.
/// - Arithmetic and comparison broadcast as NumPy does.
/// - A wrong shape or dtype ends the call, and the user sees the operation and its operands.
/// - Handles are given back when the call ends. A plugin keeps numbers from one call to the next, not
///   tensors.
pub const Tensor = extern struct {
    raw: Raw,

    /// Remembers a handle until the end of the call. Only code that calls the generated functions itself
    /// needs it.
    pub fn track(raw: Raw) Tensor {
        tracked.append(call.gpa, raw) catch @panic("out of memory");
        return .{ .raw = raw };
    }

    /// Gives the handle back before the call ends: for loops that make thousands, of which the host allows
    /// 4096 at once.
    pub fn release(self: Tensor) void {
        var i = tracked.items.len;
        while (i > 0) {
            i -= 1;
            if (tracked.items[i].__handle == self.raw.__handle) {
                _ = tracked.swapRemove(i);
                break;
            }
        }
        c.pegbox_plugin_tensors_tensor_drop_own(self.raw);
    }

    // -- creation --

    /// Float tensor of shape `[1]`.
    pub fn scalar(value: f32) Tensor {
        return track(c.pegbox_plugin_tensors_static_tensor_scalar(value));
    }

    /// Float tensor of `sizes`, filled with `value`: `Tensor.full(&.{ 2, 3 }, 0)`.
    pub fn full(sizes: []const u32, value: f32) Tensor {
        var list = call.lower(c.plugin_list_u32_t, sizes);
        return track(c.pegbox_plugin_tensors_static_tensor_full(&list, value));
    }

    /// Float tensor from row-major values, as many as `sizes` has elements.
    pub fn fromFloats(sizes: []const u32, values: []const f32) Tensor {
        var list = call.lower(c.plugin_list_u32_t, sizes);
        var raw = call.lower(c.plugin_list_f32_t, values);
        return track(c.pegbox_plugin_tensors_static_tensor_from_floats(&list, &raw));
    }

    /// Int tensor from row-major values, as many as `sizes` has elements.
    pub fn fromInts(sizes: []const u32, values: []const i64) Tensor {
        var list = call.lower(c.plugin_list_u32_t, sizes);
        var raw = call.lower(c.plugin_list_s64_t, values);
        return track(c.pegbox_plugin_tensors_static_tensor_from_ints(&list, &raw));
    }

    // -- what it is --

    /// Dimension sizes, outermost first.
    pub fn shape(self: Tensor) []const u32 {
        var sizes: c.plugin_list_u32_t = undefined;
        c.pegbox_plugin_tensors_method_tensor_shape(self.lent(), &sizes);
        return call.slice(sizes);
    }

    pub fn dtype(self: Tensor) DType {
        return @enumFromInt(c.pegbox_plugin_tensors_method_tensor_dtype(self.lent()));
    }

    // -- arithmetic, broadcasting; both float, or both int; `other` is a tensor, or a number if `self` is float --

    pub fn add(self: Tensor, other: anytype) Tensor {
        if (comptime isNumber(@TypeOf(other))) return track(c.pegbox_plugin_tensors_method_tensor_add_scalar(self.lent(), other));
        return track(c.pegbox_plugin_tensors_method_tensor_add(self.lent(), other.lent()));
    }

    pub fn sub(self: Tensor, other: anytype) Tensor {
        if (comptime isNumber(@TypeOf(other))) return track(c.pegbox_plugin_tensors_method_tensor_add_scalar(self.lent(), -@as(f32, other)));
        return track(c.pegbox_plugin_tensors_method_tensor_sub(self.lent(), other.lent()));
    }

    pub fn mul(self: Tensor, other: anytype) Tensor {
        if (comptime isNumber(@TypeOf(other))) return track(c.pegbox_plugin_tensors_method_tensor_mul_scalar(self.lent(), other));
        return track(c.pegbox_plugin_tensors_method_tensor_mul(self.lent(), other.lent()));
    }

    /// Int division truncates towards zero; an int divisor of 0 ends the call.
    pub fn div(self: Tensor, other: anytype) Tensor {
        if (comptime isNumber(@TypeOf(other))) return track(c.pegbox_plugin_tensors_method_tensor_mul_scalar(self.lent(), 1 / @as(f32, other)));
        return track(c.pegbox_plugin_tensors_method_tensor_div(self.lent(), other.lent()));
    }

    /// Float; elementwise power, of a tensor or a number.
    pub fn pow(self: Tensor, exponent: anytype) Tensor {
        if (comptime isNumber(@TypeOf(exponent))) return track(c.pegbox_plugin_tensors_method_tensor_pow_scalar(self.lent(), exponent));
        return track(c.pegbox_plugin_tensors_method_tensor_pow(self.lent(), exponent.lent()));
    }

    /// Float or int.
    pub fn neg(self: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_neg(self.lent()));
    }

    // -- each element by itself, float --

    pub fn exp(self: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_exp(self.lent()));
    }

    /// Natural logarithm; log of 0 is -infinity, of a negative number NaN.
    pub fn log(self: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_log(self.lent()));
    }

    pub fn sqrt(self: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_sqrt(self.lent()));
    }

    pub fn abs(self: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_abs(self.lent()));
    }

    /// Limits every element to [low, high]; the gradient is 0 outside.
    pub fn clamp(self: Tensor, low: f32, high: f32) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_clamp(self.lent(), low, high));
    }

    pub fn relu(self: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_relu(self.lent()));
    }

    /// x * Phi(x) with the exact normal distribution function, not the tanh approximation.
    pub fn gelu(self: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_gelu(self.lent()));
    }

    pub fn sigmoid(self: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_sigmoid(self.lent()));
    }

    pub fn tanh(self: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_tanh(self.lent()));
    }

    // -- along a dimension, float --

    /// exp(x) / sum(exp(x)) along `dim`, computed stably.
    pub fn softmax(self: Tensor, dim: i32) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_softmax(self.lent(), dim));
    }

    /// log(softmax(x)) along `dim`, computed stably.
    pub fn logSoftmax(self: Tensor, dim: i32) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_log_softmax(self.lent(), dim));
    }

    // -- reductions; dimensions stay, with size 1; no dimensions (`&.{}`) means all, and gives shape `[1]` --

    /// Float or int.
    pub fn sum(self: Tensor, dims: []const i32) Tensor {
        var list = call.lower(c.plugin_list_s32_t, dims);
        return track(c.pegbox_plugin_tensors_method_tensor_sum(self.lent(), &list));
    }

    /// Float.
    pub fn mean(self: Tensor, dims: []const i32) Tensor {
        var list = call.lower(c.plugin_list_s32_t, dims);
        return track(c.pegbox_plugin_tensors_method_tensor_mean(self.lent(), &list));
    }

    /// Float or int.
    pub fn max(self: Tensor, dims: []const i32) Tensor {
        var list = call.lower(c.plugin_list_s32_t, dims);
        return track(c.pegbox_plugin_tensors_method_tensor_max(self.lent(), &list));
    }

    /// Index of the largest element along `dim`, the first of equals; int.
    pub fn argmax(self: Tensor, dim: i32) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_argmax(self.lent(), dim));
    }

    // -- selection --

    /// `out[i][j] = self[i][indices[i][j]]` for `dim` = 1, and so on: same rank, and every dimension but
    /// `dim` equal. `self` is float or int, `indices` int.
    pub fn gather(self: Tensor, dim: i32, indices: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_gather(self.lent(), dim, indices.lent()));
    }

    /// Int to float with one more dimension, last, of size `classes`.
    pub fn oneHot(self: Tensor, classes: u32) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_one_hot(self.lent(), classes));
    }

    /// Both of the same dtype; bool result.
    pub fn equal(self: Tensor, other: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_equal(self.lent(), other.lent()));
    }

    /// Float or int, as are the next three; bool result.
    pub fn greater(self: Tensor, other: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_greater(self.lent(), other.lent()));
    }

    pub fn greaterEqual(self: Tensor, other: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_greater_equal(self.lent(), other.lent()));
    }

    pub fn less(self: Tensor, other: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_less(self.lent(), other.lent()));
    }

    pub fn lessEqual(self: Tensor, other: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_less_equal(self.lent(), other.lent()));
    }

    /// Bool.
    pub fn logicalNot(self: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_logical_not(self.lent()));
    }

    /// `on_true` where `self` (bool) holds, else `on_false`; all broadcast.
    pub fn where(self: Tensor, on_true: Tensor, on_false: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_where(self.lent(), on_true.lent(), on_false.lent()));
    }

    /// `value` wherever `mask` (bool, broadcast) holds; `self` is float.
    pub fn maskedFill(self: Tensor, mask: Tensor, value: f32) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_masked_fill(self.lent(), mask.lent(), value));
    }

    // -- shape --

    /// Same elements in row-major order; one size may be -1: `x.reshape(&.{ -1, 1 })`.
    pub fn reshape(self: Tensor, sizes: []const i32) Tensor {
        var list = call.lower(c.plugin_list_s32_t, sizes);
        return track(c.pegbox_plugin_tensors_method_tensor_reshape(self.lent(), &list));
    }

    /// One more dimension, last, of size 1.
    pub fn unsqueeze(self: Tensor) Tensor {
        return resized(self, 1);
    }

    /// Without the last dimension, which must be of size 1.
    pub fn squeeze(self: Tensor) Tensor {
        return resized(self, -1);
    }

    /// Swaps two dimensions.
    pub fn transpose(self: Tensor, dim0: i32, dim1: i32) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_transpose(self.lent(), dim0, dim1));
    }

    /// Elements `start` up to but not including `end` along `dim`.
    pub fn slice(self: Tensor, dim: i32, start: u32, end: u32) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_slice(self.lent(), dim, start, end));
    }

    /// Joins tensors of the same dtype, at least one, that agree in every dimension but `dim`.
    pub fn concat(parts: []const Tensor, dim: i32) Tensor {
        // An owned handle lends itself by its number.
        var list = call.lower(c.pegbox_plugin_tensors_list_borrow_tensor_t, parts);
        return track(c.pegbox_plugin_tensors_static_tensor_concat(&list, dim));
    }

    /// `[.., m, k] x [.., k, n]` is `[.., m, n]`; leading dimensions broadcast. Float.
    pub fn matmul(self: Tensor, other: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_matmul(self.lent(), other.lent()));
    }

    /// Bool or int to float (true is 1).
    pub fn toFloat(self: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_to_float(self.lent()));
    }

    /// Bool to int (true is 1), float to int (towards zero).
    pub fn toInt(self: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_to_int(self.lent()));
    }

    // -- gradients --

    /// The same values, cut off from differentiation.
    pub fn detach(self: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_detach(self.lent()));
    }

    /// For a loss that brings its own gradient: has the value of `value` (float `[1]`), and back-propagates
    /// `gradient`, of self's shape, into `self`; nothing into `value` or `gradient`.
    pub fn withGradient(self: Tensor, value: Tensor, gradient: Tensor) Tensor {
        return track(c.pegbox_plugin_tensors_method_tensor_with_gradient(self.lent(), value.lent(), gradient.lent()));
    }

    // -- reading back; waits for the device --

    /// All elements, row-major, as floats (int and bool are converted).
    pub fn read(self: Tensor) []const f32 {
        var values: c.plugin_list_f32_t = undefined;
        c.pegbox_plugin_tensors_method_tensor_read(self.lent(), &values);
        return call.slice(values);
    }

    /// All elements of an int or bool tensor, row-major.
    pub fn readInts(self: Tensor) []const i64 {
        var values: c.plugin_list_s64_t = undefined;
        c.pegbox_plugin_tensors_method_tensor_read_ints(self.lent(), &values);
        return call.slice(values);
    }

    /// The only element of a tensor of shape `[1]`.
    pub fn item(self: Tensor) f32 {
        return self.read()[0];
    }

    fn lent(self: Tensor) c.pegbox_plugin_tensors_borrow_tensor_t {
        return .{ .__handle = self.raw.__handle };
    }

    fn resized(self: Tensor, comptime more: i32) Tensor {
        var sizes: [9]i32 = @splat(1);
        const old = self.shape();
        for (old, sizes[0..old.len]) |size, *to| to.* = @intCast(size);
        return self.reshape(sizes[0..@intCast(@as(i32, @intCast(old.len)) + more)]);
    }
};

fn isNumber(comptime Value: type) bool {
    return switch (@typeInfo(Value)) {
        .float, .comptime_float, .int, .comptime_int => true,
        else => false,
    };
}
