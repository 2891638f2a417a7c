/// Tensors that live on the host's device. The plugin holds handles; the host runs each operation where the
/// data is and records it for automatic differentiation: the gradient of a loss comes for free, and no data
/// crosses the boundary unless `pegbox_read` asks (which needs the permission `read-tensors`).
///
/// - Shapes are dimension sizes, outermost first; rank 1 to 8, every size at least 1. A scalar has shape
///   `[1]`.
/// - A dimension counts from 0, or from the end when negative: -1 is the last.
/// - Arithmetic and comparison broadcast as NumPy does.
/// - A wrong shape or dtype ends the call, and the user sees the operation and its operands.
/// - Handles are given back when the call ends. A plugin keeps numbers from one call to the next, not
///   tensors.
#ifndef PEGBOX_TENSOR_H
#define PEGBOX_TENSOR_H

#include "call.h"

#if defined(PEGBOX_KIND_LOSS) || defined(PEGBOX_KIND_METRIC)
#define PEGBOX_TENSORS 1
#ifdef __cplusplus
extern "C" {
#endif

typedef pegbox_plugin_tensors_own_tensor_t pegbox_tensor;

typedef enum {
    /// IEEE float, 32 bits towards the plugin.
    PEGBOX_FLOAT = PEGBOX_PLUGIN_TENSORS_DTYPE_FLOAT,
    /// Signed integer.
    PEGBOX_INT = PEGBOX_PLUGIN_TENSORS_DTYPE_INT,
    /// Truth value; the result of comparisons.
    PEGBOX_BOOL = PEGBOX_PLUGIN_TENSORS_DTYPE_BOOLEAN,
} pegbox_dtype;

/// Lists of sizes and dimensions, written in place.
#define PEGBOX_LIST(type, element, ...) \
    ((type){(element[]){__VA_ARGS__}, sizeof((element[]){__VA_ARGS__}) / sizeof(element)})
#define PEGBOX_SHAPE(...) PEGBOX_LIST(plugin_list_u32_t, uint32_t, __VA_ARGS__)
#define PEGBOX_DIMS(...) PEGBOX_LIST(plugin_list_s32_t, int32_t, __VA_ARGS__)
#define PEGBOX_FLOATS(...) PEGBOX_LIST(plugin_list_f32_t, float, __VA_ARGS__)
#define PEGBOX_INTS(...) PEGBOX_LIST(plugin_list_s64_t, int64_t, __VA_ARGS__)
/// All dimensions of a reduction; its result has shape `[1]`.
#define PEGBOX_ALL ((plugin_list_s32_t){(int32_t *)sizeof(int32_t), 0})

/// Remembers a handle until the end of the call. Only code that calls the generated functions itself needs
/// it.
pegbox_tensor pegbox_track(pegbox_tensor tensor);

/// Gives a handle back before the call ends: for loops that make thousands, of which the host allows 4096 at
/// once.
void pegbox_release(pegbox_tensor tensor);

#define PEGBOX_BORROW(tensor) ((pegbox_plugin_tensors_borrow_tensor_t){(tensor).__handle})

// -- creation --

/// Float tensor of shape `[1]`.
static inline pegbox_tensor pegbox_scalar(float value) {
    return pegbox_track(pegbox_plugin_tensors_static_tensor_scalar(value));
}

/// Float tensor of `shape`, filled with `value`: `pegbox_full(PEGBOX_SHAPE(2, 3), 0)`.
static inline pegbox_tensor pegbox_full(plugin_list_u32_t shape, float value) {
    return pegbox_track(pegbox_plugin_tensors_static_tensor_full(&shape, value));
}

/// Float tensor from row-major values, as many as `shape` has elements.
static inline pegbox_tensor pegbox_from_floats(plugin_list_u32_t shape, plugin_list_f32_t values) {
    return pegbox_track(pegbox_plugin_tensors_static_tensor_from_floats(&shape, &values));
}

/// Int tensor from row-major values, as many as `shape` has elements.
static inline pegbox_tensor pegbox_from_ints(plugin_list_u32_t shape, plugin_list_s64_t values) {
    return pegbox_track(pegbox_plugin_tensors_static_tensor_from_ints(&shape, &values));
}

// -- arithmetic, broadcasting; both float, or both int --

static inline pegbox_tensor pegbox_add(pegbox_tensor x, pegbox_tensor other) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_add(PEGBOX_BORROW(x), PEGBOX_BORROW(other)));
}

static inline pegbox_tensor pegbox_sub(pegbox_tensor x, pegbox_tensor other) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_sub(PEGBOX_BORROW(x), PEGBOX_BORROW(other)));
}

static inline pegbox_tensor pegbox_mul(pegbox_tensor x, pegbox_tensor other) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_mul(PEGBOX_BORROW(x), PEGBOX_BORROW(other)));
}

/// Int division truncates towards zero; an int divisor of 0 ends the call.
static inline pegbox_tensor pegbox_div(pegbox_tensor x, pegbox_tensor other) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_div(PEGBOX_BORROW(x), PEGBOX_BORROW(other)));
}

/// Float; elementwise power.
static inline pegbox_tensor pegbox_pow(pegbox_tensor x, pegbox_tensor exponent) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_pow(PEGBOX_BORROW(x), PEGBOX_BORROW(exponent)));
}

/// Float, as are the next two.
static inline pegbox_tensor pegbox_add_scalar(pegbox_tensor x, float value) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_add_scalar(PEGBOX_BORROW(x), value));
}

static inline pegbox_tensor pegbox_mul_scalar(pegbox_tensor x, float value) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_mul_scalar(PEGBOX_BORROW(x), value));
}

static inline pegbox_tensor pegbox_pow_scalar(pegbox_tensor x, float exponent) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_pow_scalar(PEGBOX_BORROW(x), exponent));
}

/// Float or int.
static inline pegbox_tensor pegbox_neg(pegbox_tensor x) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_neg(PEGBOX_BORROW(x)));
}

// -- each element by itself, float --

static inline pegbox_tensor pegbox_exp(pegbox_tensor x) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_exp(PEGBOX_BORROW(x)));
}

/// Natural logarithm; log of 0 is -infinity, of a negative number NaN.
static inline pegbox_tensor pegbox_log(pegbox_tensor x) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_log(PEGBOX_BORROW(x)));
}

static inline pegbox_tensor pegbox_sqrt(pegbox_tensor x) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_sqrt(PEGBOX_BORROW(x)));
}

static inline pegbox_tensor pegbox_abs(pegbox_tensor x) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_abs(PEGBOX_BORROW(x)));
}

/// Limits every element to [low, high]; the gradient is 0 outside.
static inline pegbox_tensor pegbox_clamp(pegbox_tensor x, float low, float high) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_clamp(PEGBOX_BORROW(x), low, high));
}

static inline pegbox_tensor pegbox_relu(pegbox_tensor x) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_relu(PEGBOX_BORROW(x)));
}

/// x * Phi(x) with the exact normal distribution function, not the tanh approximation.
static inline pegbox_tensor pegbox_gelu(pegbox_tensor x) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_gelu(PEGBOX_BORROW(x)));
}

static inline pegbox_tensor pegbox_sigmoid(pegbox_tensor x) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_sigmoid(PEGBOX_BORROW(x)));
}

static inline pegbox_tensor pegbox_tanh(pegbox_tensor x) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_tanh(PEGBOX_BORROW(x)));
}

// -- along a dimension, float --

/// exp(x) / sum(exp(x)) along `dim`, computed stably.
static inline pegbox_tensor pegbox_softmax(pegbox_tensor x, int32_t dim) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_softmax(PEGBOX_BORROW(x), dim));
}

/// log(softmax(x)) along `dim`, computed stably.
static inline pegbox_tensor pegbox_log_softmax(pegbox_tensor x, int32_t dim) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_log_softmax(PEGBOX_BORROW(x), dim));
}

// -- reductions: `pegbox_sum(x, PEGBOX_DIMS(-1))`, `pegbox_sum(x, PEGBOX_ALL)`; dimensions stay, with size 1 --

/// Float or int.
static inline pegbox_tensor pegbox_sum(pegbox_tensor x, plugin_list_s32_t dims) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_sum(PEGBOX_BORROW(x), &dims));
}

/// Float.
static inline pegbox_tensor pegbox_mean(pegbox_tensor x, plugin_list_s32_t dims) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_mean(PEGBOX_BORROW(x), &dims));
}

/// Float or int.
static inline pegbox_tensor pegbox_max(pegbox_tensor x, plugin_list_s32_t dims) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_max(PEGBOX_BORROW(x), &dims));
}

/// Index of the largest element along `dim`, the first of equals; int.
static inline pegbox_tensor pegbox_argmax(pegbox_tensor x, int32_t dim) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_argmax(PEGBOX_BORROW(x), dim));
}

// -- selection --

/// `out[i][j] = x[i][indices[i][j]]` for `dim` = 1, and so on: same rank, and every dimension but `dim`
/// equal. `x` is float or int, `indices` int.
static inline pegbox_tensor pegbox_gather(pegbox_tensor x, int32_t dim, pegbox_tensor indices) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_gather(PEGBOX_BORROW(x), dim, PEGBOX_BORROW(indices)));
}

/// Int to float with one more dimension, last, of size `classes`.
static inline pegbox_tensor pegbox_one_hot(pegbox_tensor x, uint32_t classes) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_one_hot(PEGBOX_BORROW(x), classes));
}

/// Both of the same dtype; bool result.
static inline pegbox_tensor pegbox_equal(pegbox_tensor x, pegbox_tensor other) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_equal(PEGBOX_BORROW(x), PEGBOX_BORROW(other)));
}

/// Float or int, as are the next three; bool result.
static inline pegbox_tensor pegbox_greater(pegbox_tensor x, pegbox_tensor other) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_greater(PEGBOX_BORROW(x), PEGBOX_BORROW(other)));
}

static inline pegbox_tensor pegbox_greater_equal(pegbox_tensor x, pegbox_tensor other) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_greater_equal(PEGBOX_BORROW(x), PEGBOX_BORROW(other)));
}

static inline pegbox_tensor pegbox_less(pegbox_tensor x, pegbox_tensor other) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_less(PEGBOX_BORROW(x), PEGBOX_BORROW(other)));
}

static inline pegbox_tensor pegbox_less_equal(pegbox_tensor x, pegbox_tensor other) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_less_equal(PEGBOX_BORROW(x), PEGBOX_BORROW(other)));
}

/// Bool.
static inline pegbox_tensor pegbox_logical_not(pegbox_tensor x) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_logical_not(PEGBOX_BORROW(x)));
}

/// `on_true` where `condition` (bool) holds, else `on_false`; all broadcast.
static inline pegbox_tensor pegbox_where(pegbox_tensor condition, pegbox_tensor on_true, pegbox_tensor on_false) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_where(PEGBOX_BORROW(condition), PEGBOX_BORROW(on_true), PEGBOX_BORROW(on_false)));
}

/// `value` wherever `mask` (bool, broadcast) holds; `x` is float.
static inline pegbox_tensor pegbox_masked_fill(pegbox_tensor x, pegbox_tensor mask, float value) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_masked_fill(PEGBOX_BORROW(x), PEGBOX_BORROW(mask), value));
}

// -- shape --

/// Same elements in row-major order; one size may be -1: `pegbox_reshape(x, PEGBOX_DIMS(-1, 1))`.
static inline pegbox_tensor pegbox_reshape(pegbox_tensor x, plugin_list_s32_t shape) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_reshape(PEGBOX_BORROW(x), &shape));
}

/// Swaps two dimensions.
static inline pegbox_tensor pegbox_transpose(pegbox_tensor x, int32_t dim0, int32_t dim1) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_transpose(PEGBOX_BORROW(x), dim0, dim1));
}

/// Elements `start` up to but not including `end` along `dim`.
static inline pegbox_tensor pegbox_slice(pegbox_tensor x, int32_t dim, uint32_t start, uint32_t end) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_slice(PEGBOX_BORROW(x), dim, start, end));
}

/// `[.., m, k] x [.., k, n]` is `[.., m, n]`; leading dimensions broadcast. Float.
static inline pegbox_tensor pegbox_matmul(pegbox_tensor x, pegbox_tensor other) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_matmul(PEGBOX_BORROW(x), PEGBOX_BORROW(other)));
}

/// Bool or int to float (true is 1).
static inline pegbox_tensor pegbox_to_float(pegbox_tensor x) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_to_float(PEGBOX_BORROW(x)));
}

/// Bool to int (true is 1), float to int (towards zero).
static inline pegbox_tensor pegbox_to_int(pegbox_tensor x) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_to_int(PEGBOX_BORROW(x)));
}

// -- gradients --

/// The same values, cut off from differentiation.
static inline pegbox_tensor pegbox_detach(pegbox_tensor x) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_detach(PEGBOX_BORROW(x)));
}

/// For a loss that brings its own gradient: has the value of `value` (float `[1]`), and back-propagates
/// `gradient`, of x's shape, into `x`; nothing into `value` or `gradient`.
static inline pegbox_tensor pegbox_with_gradient(pegbox_tensor x, pegbox_tensor value, pegbox_tensor gradient) {
    return pegbox_track(pegbox_plugin_tensors_method_tensor_with_gradient(PEGBOX_BORROW(x), PEGBOX_BORROW(value), PEGBOX_BORROW(gradient)));
}

// -- what it is, and its elements --

/// Dimension sizes, outermost first.
static inline plugin_list_u32_t pegbox_shape(pegbox_tensor x) {
    plugin_list_u32_t shape;
    pegbox_plugin_tensors_method_tensor_shape(PEGBOX_BORROW(x), &shape);
    return shape;
}

static inline pegbox_dtype pegbox_dtype_of(pegbox_tensor x) {
    return (pegbox_dtype)pegbox_plugin_tensors_method_tensor_dtype(PEGBOX_BORROW(x));
}

/// All elements, row-major, as floats (int and bool are converted). Waits for the device.
static inline plugin_list_f32_t pegbox_read(pegbox_tensor x) {
    plugin_list_f32_t values;
    pegbox_plugin_tensors_method_tensor_read(PEGBOX_BORROW(x), &values);
    return values;
}

/// The only element of a tensor of shape `[1]`, or the first of more.
static inline float pegbox_read_scalar(pegbox_tensor x) {
    return pegbox_read(x).ptr[0];
}

/// All elements of an int or bool tensor, row-major. Waits for the device.
static inline plugin_list_s64_t pegbox_read_ints(pegbox_tensor x) {
    plugin_list_s64_t values;
    pegbox_plugin_tensors_method_tensor_read_ints(PEGBOX_BORROW(x), &values);
    return values;
}

/// Joins `count` tensors of the same dtype, at least one, that agree in every dimension but `dim`.
pegbox_tensor pegbox_concat(const pegbox_tensor *parts, size_t count, int32_t dim);

#ifdef __cplusplus
}
#endif
#endif
#endif
