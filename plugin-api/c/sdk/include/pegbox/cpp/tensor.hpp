/// Handles to tensors that live on the host's device.
#pragma once

#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "../tensor.h"

#ifdef PEGBOX_TENSORS
namespace pegbox {

/// What the elements are.
enum class DType { float_ = PEGBOX_FLOAT, int_ = PEGBOX_INT, bool_ = PEGBOX_BOOL };

using Shape = std::initializer_list<uint32_t>;
using Dims = std::initializer_list<int32_t>;

/// A tensor of the host. The plugin holds a handle; the host runs each operation where the data is and
/// records it for automatic differentiation: the gradient of a loss comes for free, and no data crosses the
/// boundary unless `read` asks (which needs the permission `read-tensors`).
///
/// - Shapes are dimension sizes, outermost first; rank 1 to 8, every size at least 1. A scalar has shape
///   `[1]`.
/// - A dimension counts from 0, or from the end when negative: -1 is the last.
/// - Arithmetic and comparison broadcast as NumPy does.
/// - A wrong shape or dtype ends the call, and the user sees the operation and its operands.
/// - A handle is given back when its Tensor goes. A plugin keeps numbers from one call to the next, not
///   tensors.
class [[nodiscard]] Tensor {
public:
    explicit Tensor(pegbox_tensor raw) : raw(raw) {}
    Tensor(Tensor &&other) noexcept : raw(std::exchange(other.raw, {})) {}
    Tensor &operator=(Tensor &&other) noexcept {
        std::swap(raw, other.raw);
        return *this;
    }
    ~Tensor() {
        if (raw.__handle != 0) pegbox_release(raw);
    }

    // -- creation --

    /// Float tensor of shape `[1]`.
    static Tensor scalar(float value) { return Tensor(pegbox_scalar(value)); }
    /// Float tensor of `shape`, filled with `value`.
    static Tensor full(Shape shape, float value) { return Tensor(pegbox_full(list(shape), value)); }
    /// Float tensor from row-major values, as many as `shape` has elements.
    static Tensor from_floats(Shape shape, std::span<const float> values) {
        return Tensor(pegbox_from_floats(list(shape), {const_cast<float *>(values.data()), values.size()}));
    }
    /// Int tensor from row-major values, as many as `shape` has elements.
    static Tensor from_ints(Shape shape, std::span<const int64_t> values) {
        return Tensor(pegbox_from_ints(list(shape), {const_cast<int64_t *>(values.data()), values.size()}));
    }

    // -- what it is --

    /// Dimension sizes, outermost first.
    std::span<const uint32_t> shape() const {
        auto sizes = pegbox_shape(raw);
        return {sizes.ptr, sizes.len};
    }
    DType dtype() const { return DType(pegbox_dtype_of(raw)); }

    // -- arithmetic: the operators are below --

    /// Float; elementwise power.
    Tensor pow(const Tensor &exponent) const { return Tensor(pegbox_pow(raw, exponent.raw)); }
    Tensor pow(float exponent) const { return Tensor(pegbox_pow_scalar(raw, exponent)); }

    // -- each element by itself, float --

    Tensor exp() const { return Tensor(pegbox_exp(raw)); }
    /// Natural logarithm; log of 0 is -infinity, of a negative number NaN.
    Tensor log() const { return Tensor(pegbox_log(raw)); }
    Tensor sqrt() const { return Tensor(pegbox_sqrt(raw)); }
    Tensor abs() const { return Tensor(pegbox_abs(raw)); }
    Tensor relu() const { return Tensor(pegbox_relu(raw)); }
    /// x * Phi(x) with the exact normal distribution function, not the tanh approximation.
    Tensor gelu() const { return Tensor(pegbox_gelu(raw)); }
    Tensor sigmoid() const { return Tensor(pegbox_sigmoid(raw)); }
    Tensor tanh() const { return Tensor(pegbox_tanh(raw)); }
    /// Limits every element to [low, high]; the gradient is 0 outside.
    Tensor clamp(float low, float high) const { return Tensor(pegbox_clamp(raw, low, high)); }

    // -- along a dimension, float --

    /// exp(x) / sum(exp(x)) along `dim`, computed stably.
    Tensor softmax(int32_t dim) const { return Tensor(pegbox_softmax(raw, dim)); }
    /// log(softmax(x)) along `dim`, computed stably.
    Tensor log_softmax(int32_t dim) const { return Tensor(pegbox_log_softmax(raw, dim)); }

    // -- reductions; dimensions stay, with size 1; none (`{}`) means all, and gives shape `[1]` --

    /// Float or int.
    Tensor sum(Dims dims) const { return Tensor(pegbox_sum(raw, list(dims))); }
    /// Float.
    Tensor mean(Dims dims) const { return Tensor(pegbox_mean(raw, list(dims))); }
    /// Float or int.
    Tensor max(Dims dims) const { return Tensor(pegbox_max(raw, list(dims))); }
    /// Index of the largest element along `dim`, the first of equals; int.
    Tensor argmax(int32_t dim) const { return Tensor(pegbox_argmax(raw, dim)); }

    // -- selection --

    /// `out[i][j] = x[i][indices[i][j]]` for `dim` = 1, and so on: same rank, and every dimension but `dim`
    /// equal. This tensor is float or int, `indices` int.
    Tensor gather(int32_t dim, const Tensor &indices) const { return Tensor(pegbox_gather(raw, dim, indices.raw)); }
    /// Int to float with one more dimension, last, of size `classes`.
    Tensor one_hot(uint32_t classes) const { return Tensor(pegbox_one_hot(raw, classes)); }
    /// Both of the same dtype; bool result.
    Tensor equal(const Tensor &other) const { return Tensor(pegbox_equal(raw, other.raw)); }
    /// Float or int, as are the next three; bool result.
    Tensor greater(const Tensor &other) const { return Tensor(pegbox_greater(raw, other.raw)); }
    Tensor greater_equal(const Tensor &other) const { return Tensor(pegbox_greater_equal(raw, other.raw)); }
    Tensor less(const Tensor &other) const { return Tensor(pegbox_less(raw, other.raw)); }
    Tensor less_equal(const Tensor &other) const { return Tensor(pegbox_less_equal(raw, other.raw)); }
    /// Bool.
    Tensor logical_not() const { return Tensor(pegbox_logical_not(raw)); }
    /// `on_true` where this (bool) holds, else `on_false`; all broadcast.
    Tensor where(const Tensor &on_true, const Tensor &on_false) const {
        return Tensor(pegbox_where(raw, on_true.raw, on_false.raw));
    }
    /// `value` wherever `mask` (bool, broadcast) holds; this tensor is float.
    Tensor masked_fill(const Tensor &mask, float value) const {
        return Tensor(pegbox_masked_fill(raw, mask.raw, value));
    }

    // -- shape --

    /// Same elements in row-major order; one size may be -1.
    Tensor reshape(Dims shape) const { return Tensor(pegbox_reshape(raw, list(shape))); }
    Tensor reshape(std::span<const int32_t> shape) const {
        return Tensor(pegbox_reshape(raw, {const_cast<int32_t *>(shape.data()), shape.size()}));
    }
    /// One more dimension, last, of size 1.
    Tensor unsqueeze() const {
        auto sizes = signed_shape();
        sizes.push_back(1);
        return reshape(std::span<const int32_t>(sizes));
    }
    /// Without the last dimension, which must be of size 1.
    Tensor squeeze() const {
        auto sizes = signed_shape();
        sizes.pop_back();
        return reshape(std::span<const int32_t>(sizes));
    }
    /// Swaps two dimensions.
    Tensor transpose(int32_t dim0, int32_t dim1) const { return Tensor(pegbox_transpose(raw, dim0, dim1)); }
    /// Elements `start` up to but not including `end` along `dim`.
    Tensor slice(int32_t dim, uint32_t start, uint32_t end) const {
        return Tensor(pegbox_slice(raw, dim, start, end));
    }
    /// Joins tensors of the same dtype, at least one, that agree in every dimension but `dim`.
    static Tensor concat(std::initializer_list<const Tensor *> parts, int32_t dim) {
        std::vector<pegbox_tensor> handles;
        for (const Tensor *part : parts) handles.push_back(part->raw);
        return Tensor(pegbox_concat(handles.data(), handles.size(), dim));
    }
    /// `[.., m, k] x [.., k, n]` is `[.., m, n]`; leading dimensions broadcast. Float.
    Tensor matmul(const Tensor &other) const { return Tensor(pegbox_matmul(raw, other.raw)); }
    /// Bool or int to float (true is 1).
    Tensor to_float() const { return Tensor(pegbox_to_float(raw)); }
    /// Bool to int (true is 1), float to int (towards zero).
    Tensor to_int() const { return Tensor(pegbox_to_int(raw)); }

    // -- gradients --

    /// The same values, cut off from differentiation.
    Tensor detach() const { return Tensor(pegbox_detach(raw)); }
    /// For a loss that brings its own gradient: has the value of `value` (float `[1]`), and back-propagates
    /// `gradient`, of this shape, into this tensor; nothing into `value` or `gradient`.
    Tensor with_gradient(const Tensor &value, const Tensor &gradient) const {
        return Tensor(pegbox_with_gradient(raw, value.raw, gradient.raw));
    }

    // -- reading back; waits for the device --

    /// All elements, row-major, as floats (int and bool are converted).
    std::span<const float> read() const {
        auto values = pegbox_read(raw);
        return {values.ptr, values.len};
    }
    /// All elements of an int or bool tensor, row-major.
    std::span<const int64_t> read_ints() const {
        auto values = pegbox_read_ints(raw);
        return {values.ptr, values.len};
    }
    /// The only element of a tensor of shape `[1]`.
    float item() const { return pegbox_read_scalar(raw); }

    /// The handle, for functions of C. It stays this tensor's.
    pegbox_tensor handle() const { return raw; }
    /// The handle, which is nobody's from now on.
    pegbox_tensor take() { return std::exchange(raw, {}); }

private:
    static plugin_list_u32_t list(Shape shape) { return {const_cast<uint32_t *>(shape.begin()), shape.size()}; }
    static plugin_list_s32_t list(Dims dims) {
        if (dims.size() == 0) return PEGBOX_ALL;
        return {const_cast<int32_t *>(dims.begin()), dims.size()};
    }
    std::vector<int32_t> signed_shape() const {
        auto sizes = shape();
        return {sizes.begin(), sizes.end()};
    }

    pegbox_tensor raw;
};

// Two tensors broadcast, and are both float or both int; with a number the tensor is float.

inline Tensor operator+(const Tensor &a, const Tensor &b) { return Tensor(pegbox_add(a.handle(), b.handle())); }
inline Tensor operator-(const Tensor &a, const Tensor &b) { return Tensor(pegbox_sub(a.handle(), b.handle())); }
inline Tensor operator*(const Tensor &a, const Tensor &b) { return Tensor(pegbox_mul(a.handle(), b.handle())); }
/// Int division truncates towards zero; an int divisor of 0 ends the call.
inline Tensor operator/(const Tensor &a, const Tensor &b) { return Tensor(pegbox_div(a.handle(), b.handle())); }
inline Tensor operator-(const Tensor &a) { return Tensor(pegbox_neg(a.handle())); }

inline Tensor operator+(const Tensor &a, float b) { return Tensor(pegbox_add_scalar(a.handle(), b)); }
inline Tensor operator+(float a, const Tensor &b) { return b + a; }
inline Tensor operator-(const Tensor &a, float b) { return a + -b; }
inline Tensor operator-(float a, const Tensor &b) { return -b + a; }
inline Tensor operator*(const Tensor &a, float b) { return Tensor(pegbox_mul_scalar(a.handle(), b)); }
inline Tensor operator*(float a, const Tensor &b) { return b * a; }
inline Tensor operator/(const Tensor &a, float b) { return a * (1 / b); }
inline Tensor operator/(float a, const Tensor &b) { return Tensor::scalar(a) / b; }

/// Bool.
inline Tensor operator!(const Tensor &a) { return a.logical_not(); }

} // namespace pegbox
#endif
