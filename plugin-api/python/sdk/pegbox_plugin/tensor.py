"""Handles to tensors that live on the host's device."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from math import prod
from operator import index
from typing import TYPE_CHECKING

from wit_world.imports import tensors as _wit
from wit_world.imports.tensors import Dtype as DType

__all__ = ["SMALLEST", "DType", "Tensor"]

# The generated class and those of its methods that this module gives another signature: looked up once.
_Tensor = _wit.Tensor
_sum, _mean, _max, _argmax = _Tensor.sum, _Tensor.mean, _Tensor.max, _Tensor.argmax
_add, _sub, _mul, _div, _pow = _Tensor.add, _Tensor.sub, _Tensor.mul, _Tensor.div, _Tensor.pow
_add_scalar, _mul_scalar, _pow_scalar = _Tensor.add_scalar, _Tensor.mul_scalar, _Tensor.pow_scalar
_neg, _not, _clamp = _Tensor.neg, _Tensor.logical_not, _Tensor.clamp
_softmax, _log_softmax = _Tensor.softmax, _Tensor.log_softmax
_gather, _one_hot, _where, _masked_fill = _Tensor.gather, _Tensor.one_hot, _Tensor.where, _Tensor.masked_fill
_reshape, _transpose, _slice, _matmul = _Tensor.reshape, _Tensor.transpose, _Tensor.slice, _Tensor.matmul
_equal, _greater, _less = _Tensor.equal, _Tensor.greater, _Tensor.less
_greater_equal, _less_equal = _Tensor.greater_equal, _Tensor.less_equal

SMALLEST = 1.1754943508222875e-38
"""The smallest normal number of 32 bits: a divisor instead of 0 whose quotient is 0 where the dividend is."""
_LARGEST = 3.4028234663852886e38


class Tensor(_Tensor):
    """A tensor of the host. The plugin holds a handle; the host runs each operation where the data is and
    records it for automatic differentiation, so the gradient of a loss comes for free, and no data crosses the
    boundary unless :meth:`read` asks.

    - Shapes are dimension sizes, outermost first; rank 1 to 8, every size at least 1. A scalar has shape
      ``(1,)``.
    - A dimension counts from 0, or from the end when negative: -1 is the last.
    - Arithmetic and comparison broadcast as NumPy does.
    - Reductions keep the reduced dimension with size 1; :meth:`reshape` drops it.
    - A handle is released as soon as nothing refers to it, and when the call ends: keep numbers from one call to
      the next, not tensors.

    Each operation says which dtypes and shapes it takes; others end the call, as do results of more than
    1,073,741,824 elements, and more live handles (4096) or memory (4096 MiB) than the plugin's limits allow. An
    argument that is not a tensor, a number or a dimension where there should be one raises ``TypeError``.

    Operators: ``+ - * / **`` between tensors and between a tensor and a number, in either order; unary ``-``;
    ``@``; ``== != > >= < <=``, elementwise with a bool result; ``& | ~`` of bool tensors; ``abs()``; ``float()``
    and ``int()`` of a tensor with one element. Two tensors are both float or both int (division of ints
    truncates towards zero, and an int divisor of 0 ends the call); with a number the tensor is float.
    """

    # A handle that was given away (a loss that was returned) leaves this behind, which the host refuses.
    handle = 0

    # -- creation --

    @classmethod
    def scalar(cls, value: float) -> "Tensor":
        """Float tensor of shape ``(1,)``."""
        return super().scalar(float(value))

    @classmethod
    def full(cls, shape: Iterable[int], value: float) -> "Tensor":
        """Float tensor of ``shape``, filled with ``value``."""
        return super().full(_sizes(shape), float(value))

    @classmethod
    def from_floats(cls, shape: Iterable[int], values: Iterable[float]) -> "Tensor":
        """Float tensor from row-major values. Raises ``ValueError`` unless the product of ``shape`` is their
        number."""
        sizes, floats = _sizes(shape), [float(value) for value in values]
        _check_count(sizes, len(floats))
        return super().from_floats(sizes, floats)

    @classmethod
    def from_ints(cls, shape: Iterable[int], values: Iterable[int]) -> "Tensor":
        """Int tensor from row-major values. Raises ``ValueError`` unless the product of ``shape`` is their
        number."""
        sizes, ints = _sizes(shape), [index(value) for value in values]
        _check_count(sizes, len(ints))
        return super().from_ints(sizes, ints)

    @classmethod
    def concat(cls, parts: Iterable["Tensor"], dim: int = 0) -> "Tensor":
        """Joins tensors of the same dtype that agree in every dimension but ``dim``. Raises ``ValueError``
        when there are none."""
        checked = [_tensor(part) for part in parts]
        if not checked:
            raise ValueError("there is nothing to join")
        return super().concat(checked, index(dim))

    # -- what it is --

    @cached_property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Dimension sizes, outermost first."""
        return tuple(_Tensor.shape(self))

    @cached_property
    def dtype(self) -> DType:  # type: ignore[override]
        """``DType.FLOAT``, ``INT`` or ``BOOLEAN``. A float tensor is float32 towards the plugin, whatever the
        host computes in."""
        return _Tensor.dtype(self)

    def __repr__(self) -> str:
        return f"Tensor({self.dtype.name.lower()}, {list(self.shape)})"

    # -- operators --

    def __add__(self, other: "Tensor | float") -> "Tensor":
        if type(other) is Tensor:
            return _add(self, other)
        if isinstance(other, (float, int)):
            return _add_scalar(self, other)
        return NotImplemented

    __radd__ = __add__

    def __sub__(self, other: "Tensor | float") -> "Tensor":
        if type(other) is Tensor:
            return _sub(self, other)
        if isinstance(other, (float, int)):
            return _add_scalar(self, -other)
        return NotImplemented

    def __rsub__(self, other: float) -> "Tensor":
        if isinstance(other, (float, int)):
            return _add_scalar(_neg(self), other)
        return NotImplemented

    def __mul__(self, other: "Tensor | float") -> "Tensor":
        if type(other) is Tensor:
            return _mul(self, other)
        if isinstance(other, (float, int)):
            return _mul_scalar(self, other)
        return NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, other: "Tensor | float") -> "Tensor":
        if type(other) is Tensor:
            return _div(self, other)
        if isinstance(other, (float, int)):
            return _mul_scalar(self, 1.0 / other)
        return NotImplemented

    def __rtruediv__(self, other: float) -> "Tensor":
        if isinstance(other, (float, int)):
            return _div(_Tensor.scalar(other), self)  # type: ignore[return-value]
        return NotImplemented

    def __pow__(self, exponent: "Tensor | float") -> "Tensor":
        if type(exponent) is Tensor:
            return _pow(self, exponent)
        if isinstance(exponent, (float, int)):
            return _pow_scalar(self, exponent)
        return NotImplemented

    def __rpow__(self, base: float) -> "Tensor":
        if isinstance(base, (float, int)):
            return _pow(_Tensor.scalar(base), self)  # type: ignore[return-value]
        return NotImplemented

    def __matmul__(self, other: "Tensor") -> "Tensor":
        return self.matmul(other)

    def __neg__(self) -> "Tensor":
        return _neg(self)

    def __abs__(self) -> "Tensor":
        return self.abs()

    def __eq__(self, other: object) -> "Tensor":  # type: ignore[override]
        return self.equal(other)  # type: ignore[arg-type]

    def __ne__(self, other: object) -> "Tensor":  # type: ignore[override]
        return _not(self.equal(other))  # type: ignore[arg-type]

    def __gt__(self, other: "Tensor | float") -> "Tensor":
        return self.greater(other)

    def __ge__(self, other: "Tensor | float") -> "Tensor":
        return self.greater_equal(other)

    def __lt__(self, other: "Tensor | float") -> "Tensor":
        return self.less(other)

    def __le__(self, other: "Tensor | float") -> "Tensor":
        return self.less_equal(other)

    def __and__(self, other: "Tensor") -> "Tensor":
        return _where(self, _tensor(other), self)

    def __or__(self, other: "Tensor") -> "Tensor":
        return _where(self, self, _tensor(other))

    def __invert__(self) -> "Tensor":
        return _not(self)

    # `==` is elementwise, so identity is what hashing goes by.
    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        raise TypeError("a tensor is neither true nor false; `where` chooses by element")

    def __float__(self) -> float:
        return float(self._only(self.read()))

    def __int__(self) -> int:
        return int(self._only(self.read() if self.dtype is DType.FLOAT else self.read_ints()))

    def _only[T](self, values: Sequence[T]) -> T:
        if len(values) != 1:
            raise TypeError(f"a tensor of shape {list(self.shape)} is not one number")
        return values[0]

    # -- arithmetic by name --

    def add(self, other: "Tensor | float") -> "Tensor":
        """``self + other``."""
        return self + other

    def sub(self, other: "Tensor | float") -> "Tensor":
        """``self - other``."""
        return self - other

    def mul(self, other: "Tensor | float") -> "Tensor":
        """``self * other``."""
        return self * other

    def div(self, other: "Tensor | float") -> "Tensor":
        """``self / other``."""
        return self / other

    def pow(self, exponent: "Tensor | float") -> "Tensor":
        """``self ** exponent``. Float."""
        return self**exponent

    # -- each element by itself --

    if TYPE_CHECKING:
        # The generated methods do as they are, without a detour on every call: here stands what they take.

        def neg(self) -> "Tensor":
            """``-self``. Float or int."""
            ...

        def exp(self) -> "Tensor":
            """e to the power of each element. Float."""
            ...

        def log(self) -> "Tensor":
            """Natural logarithm; of 0 it is -infinity, of a negative number NaN. Float."""
            ...

        def sqrt(self) -> "Tensor":
            """Square root. Float."""
            ...

        def abs(self) -> "Tensor":
            """Absolute value. Float."""
            ...

        def relu(self) -> "Tensor":
            """The larger of 0 and the element. Float."""
            ...

        def gelu(self) -> "Tensor":
            """x * Phi(x) with the exact normal distribution function, not the tanh approximation. Float."""
            ...

        def sigmoid(self) -> "Tensor":
            """1 / (1 + exp(-x)). Float."""
            ...

        def tanh(self) -> "Tensor":
            """Hyperbolic tangent. Float."""
            ...

        def logical_not(self) -> "Tensor":
            """``~self``. Bool."""
            ...

        def to_float(self) -> "Tensor":
            """Bool or int to float (true is 1); float unchanged."""
            ...

        def to_int(self) -> "Tensor":
            """Bool to int (true is 1), float to int (towards zero); int unchanged."""
            ...

        def detach(self) -> "Tensor":
            """The same values, cut off from differentiation."""
            ...

        def read(self) -> list[float]:
            """All elements, row-major, as floats (int and bool are converted). Waits for the device; ends the
            call above 16,777,216 elements, and without ``read-tensors = true`` under [permissions]."""
            ...

        def read_ints(self) -> list[int]:
            """All elements of an int or bool tensor, row-major. Ends the call on float, and as :meth:`read`
            does."""
            ...

    def clamp(self, low: float = -_LARGEST, high: float = _LARGEST) -> "Tensor":
        """Limits every element to ``[low, high]``; the gradient is 0 outside. Float. Raises ``ValueError``
        unless ``low <= high``."""
        if not low <= high:
            raise ValueError(f"{low} is not below {high}")
        return _clamp(self, float(low), float(high))

    # -- along a dimension --

    def softmax(self, dim: int = -1) -> "Tensor":
        """exp(x) / sum(exp(x)) along ``dim``, computed stably. Float."""
        return _softmax(self, index(dim))

    def log_softmax(self, dim: int = -1) -> "Tensor":
        """log(softmax(x)) along ``dim``, computed stably. Float."""
        return _log_softmax(self, index(dim))

    def sum(self, *dims: "int | Sequence[int]") -> "Tensor":
        """The sum over ``dims``, over everything (shape ``(1,)``) when none is given. Float or int."""
        return _sum(self, _dims(dims))

    def mean(self, *dims: "int | Sequence[int]") -> "Tensor":
        """The mean over ``dims``, over everything (shape ``(1,)``) when none is given. Float."""
        return _mean(self, _dims(dims))

    def max(self, *dims: "int | Sequence[int]") -> "Tensor":
        """The largest element over ``dims``, of everything (shape ``(1,)``) when none is given. Float or
        int."""
        return _max(self, _dims(dims))

    def argmax(self, dim: int = -1) -> "Tensor":
        """Index of the largest element along ``dim``, the first of equals, as int. Float or int."""
        return _argmax(self, index(dim))

    def masked_mean(self, mask: "Tensor") -> "Tensor":
        """The mean of the elements where ``mask`` holds, float ``(1,)``; 0 where it holds nowhere, and then
        without a gradient.

        ``mask`` is bool and broadcasts to this tensor's shape, never the other way round. NaN and infinity
        where it does not hold do not matter.
        """
        total = self.masked_fill(_not(_tensor(mask)), 0.0).sum()
        count = mask.to_float().sum() * (prod(self.shape) / prod(mask.shape))
        return total / count.clamp(low=SMALLEST)

    # -- selection --

    def gather(self, dim: int, indices: "Tensor") -> "Tensor":
        """``out[i][j] = self[i][indices[i][j]]`` for ``dim`` = 1, and so on. This tensor is float or int,
        ``indices`` is int, of the same rank and equal in every dimension but ``dim``. Ends the call on an
        index outside ``[0, size of dim)``."""
        return _gather(self, index(dim), _tensor(indices))

    def one_hot(self, classes: int) -> "Tensor":
        """Int to float with one more dimension, last, of size ``classes``. Ends the call on a value outside
        ``[0, classes)``."""
        return _one_hot(self, _size(classes))

    def where(self, on_true: "Tensor", on_false: "Tensor") -> "Tensor":
        """This tensor is the condition, bool: ``on_true`` where it holds, else ``on_false``, which are of the
        same dtype; all three broadcast."""
        return _where(self, _tensor(on_true), _tensor(on_false))

    def masked_fill(self, mask: "Tensor", value: float) -> "Tensor":
        """``value`` wherever ``mask`` holds, which is bool and broadcasts to this tensor's shape. Float."""
        return _masked_fill(self, _tensor(mask), float(value))

    # -- comparison: elementwise, broadcasting, with a bool result; with a number the tensor is float --

    def equal(self, other: "Tensor | float") -> "Tensor":
        """``self == other``. Any dtype, the same for both."""
        return _equal(self, _operand(other))

    def greater(self, other: "Tensor | float") -> "Tensor":
        """``self > other``. Float or int, the same for both, as for the next three."""
        return _greater(self, _operand(other))

    def greater_equal(self, other: "Tensor | float") -> "Tensor":
        """``self >= other``."""
        return _greater_equal(self, _operand(other))

    def less(self, other: "Tensor | float") -> "Tensor":
        """``self < other``."""
        return _less(self, _operand(other))

    def less_equal(self, other: "Tensor | float") -> "Tensor":
        """``self <= other``."""
        return _less_equal(self, _operand(other))

    # -- shape --

    def reshape(self, *shape: "int | Sequence[int]") -> "Tensor":
        """The same elements in row-major order: ``t.reshape(-1, 4)``. One size may be -1 and is inferred. Any
        dtype. Ends the call when the number of elements would change."""
        return _reshape(self, _dims(shape))

    def transpose(self, dim0: int = -2, dim1: int = -1) -> "Tensor":
        """Swaps two dimensions. Any dtype."""
        return _transpose(self, index(dim0), index(dim1))

    def slice(self, dim: int, start: int, end: int) -> "Tensor":
        """Elements ``start`` up to but not including ``end`` along ``dim``. Any dtype. Ends the call unless
        0 <= start < end <= size."""
        return _slice(self, index(dim), _size(start), _size(end))

    def matmul(self, other: "Tensor") -> "Tensor":
        """``self @ other``: matrix product over the last two dimensions, ``(.., m, k) x (.., k, n) ->
        (.., m, n)``; leading dimensions broadcast. Float."""
        return _matmul(self, _tensor(other))

    # -- gradients --

    def with_gradient(self, value: "Tensor", gradient: "Tensor") -> "Tensor":
        """For a loss that brings its own gradient. This tensor is what the gradient is about (for example the
        logits), ``value`` the loss, float ``(1,)``, and ``gradient`` d value / d self, float of this tensor's
        shape. The result has the value of ``value``, and back-propagates ``gradient`` (times whatever arrives
        from above) into this tensor, nothing into ``value`` or ``gradient``."""
        return super().with_gradient(_tensor(value), _tensor(gradient))


# What is of a wrong type must be caught here: the runtime behind the generated methods would give up without a
# word.


def _tensor(value: Tensor) -> Tensor:
    if type(value) is Tensor:
        return value
    raise TypeError(f"a tensor is needed here, not {value!r}")


def _operand(value: "Tensor | float") -> Tensor:
    if type(value) is Tensor:
        return value
    if isinstance(value, (float, int)):
        return _Tensor.scalar(value)  # type: ignore[return-value]
    raise TypeError(f"a tensor or a number is needed here, not {value!r}")


def _dims(dims: "tuple[int | Sequence[int], ...]") -> list[int]:
    # `t.sum([0, 1])` and `t.reshape(shape)`, too.
    flat: list[int] = []
    for dim in dims:
        if isinstance(dim, int):
            flat.append(dim)
        else:
            flat += map(index, dim)
    return flat


def _size(size: int) -> int:
    if index(size) < 0:
        raise ValueError(f"{size} is negative")
    return index(size)


def _sizes(shape: Iterable[int]) -> list[int]:
    return [_size(size) for size in shape]


def _check_count(shape: list[int], count: int) -> None:
    if prod(shape) != count:
        raise ValueError(f"{count} values do not make a tensor of shape {shape}")


# The runtime makes instances of what stands in the generated module when the build ends.
setattr(_wit, "Tensor", Tensor)
