/** Handles to tensors that live on the host's device. */

import { Tensor as Handle, type Dtype } from "pegbox:plugin/tensors";

/** `float`: float32 towards the plugin, whatever the host computes in. `int`: signed. `boolean`: a truth value. */
export type { Dtype } from "pegbox:plugin/tensors";

/** What the host knows a tensor by, until it is disposed of. */
interface Slot {
  handle: Handle | null;
  owner: WeakRef<Tensor>;
}

/** The tensors of the call that is running, but for those already given back. */
let live: Slot[] = [];
/** How many there may be before those that nobody can reach any more are looked for. */
let limit = 256;

/** A number in the place of a tensor is one for every element: it broadcasts. */
export type Operand = Tensor | number;

/**
 * A tensor of the host. The plugin holds a handle; the host runs each operation where the data is and records it for
 * automatic differentiation, so the gradient of a loss comes for free, and no data crosses the boundary unless
 * {@link read} asks.
 *
 * - Shapes are dimension sizes, outermost first; rank 1 to 8, every size at least 1. A scalar has shape `[1]`.
 * - A dimension argument counts from 0, or from the end when negative: -1 is the last.
 * - Arithmetic and comparison broadcast as NumPy does.
 * - Reductions keep the reduced dimension with size 1; {@link reshape} drops it.
 * - A tensor lives until nobody can reach it any more, until {@link dispose}, or until the call ends: a plugin keeps
 *   numbers from one call to the next, not tensors.
 *
 * Each operation says which dtypes and shapes it takes; others end the call, as do results of more than
 * 1,073,741,824 elements and more live tensors or memory than the plugin's limits allow.
 */
export class Tensor {
  #slot: Slot;

  private constructor(handle: Handle) {
    const slot = { handle, owner: new WeakRef(this) };
    this.#slot = slot;
    if (live.length >= limit) sweep();
    live.push(slot);
  }

  /** @internal */
  static wrap(handle: Handle): Tensor {
    return new Tensor(handle);
  }

  /**
   * The handle, for a call to the host.
   * @internal
   */
  static handle(tensor: Tensor): Handle {
    if (!(tensor instanceof Tensor)) throw new TypeError(`expected a Tensor, got ${described(tensor)}`);
    const { handle } = tensor.#slot;
    if (handle === null) {
      throw new Error("a tensor was used after it was disposed of, or after the call that made it");
    }
    return handle;
  }

  /**
   * The handle, for giving it away: this tensor is not usable any more.
   * @internal
   */
  static release(tensor: Tensor): Handle {
    const handle = Tensor.handle(tensor);
    tensor.#slot.handle = null;
    return handle;
  }

  // -- creation --

  /** Float tensor of shape `[1]`. */
  static scalar(value: number): Tensor {
    return new Tensor(Handle.scalar(value));
  }

  /** Float tensor of `shape`, filled with `value`. */
  static full(shape: readonly number[], value: number): Tensor {
    return new Tensor(Handle.full(shape, value));
  }

  /** Float tensor from row-major values. Ends the call unless the product of `shape` is their number. */
  static fromFloats(shape: readonly number[], values: ArrayLike<number>): Tensor {
    return new Tensor(Handle.fromFloats(shape, Array.from(values)));
  }

  /** Int tensor from row-major values, integers. Ends the call unless the product of `shape` is their number. */
  static fromInts(shape: readonly number[], values: ArrayLike<number>): Tensor {
    return new Tensor(Handle.fromInts(shape, Array.from(values)));
  }

  // -- what it is --

  /** Dimension sizes, outermost first. */
  get shape(): number[] {
    return Tensor.handle(this).shape();
  }

  /** What the elements are. */
  get dtype(): Dtype {
    return Tensor.handle(this).dtype();
  }

  /** `float [32, 77]` */
  toString(): string {
    return this.#slot.handle === null ? "disposed tensor" : `${this.dtype} [${this.shape.join(", ")}]`;
  }

  // -- arithmetic; tensors are both float or both int, with a number this tensor is float --

  /** this + other */
  add(other: Operand): Tensor {
    const handle = Tensor.handle(this);
    return new Tensor(typeof other === "number" ? handle.addScalar(other) : handle.add(Tensor.handle(other)));
  }

  /** this - other */
  sub(other: Operand): Tensor {
    const handle = Tensor.handle(this);
    return new Tensor(typeof other === "number" ? handle.addScalar(-other) : handle.sub(Tensor.handle(other)));
  }

  /** other - this */
  rsub(other: Operand): Tensor {
    if (typeof other !== "number") return new Tensor(Tensor.handle(other).sub(Tensor.handle(this)));
    using negative = this.neg();
    return negative.add(other);
  }

  /** this * other */
  mul(other: Operand): Tensor {
    const handle = Tensor.handle(this);
    return new Tensor(typeof other === "number" ? handle.mulScalar(other) : handle.mul(Tensor.handle(other)));
  }

  /**
   * this / other. Between ints the division truncates towards zero, and a divisor of 0 ends the call. With a number
   * it is computed as this * (1 / other).
   */
  div(other: Operand): Tensor {
    const handle = Tensor.handle(this);
    return new Tensor(typeof other === "number" ? handle.mulScalar(1 / other) : handle.div(Tensor.handle(other)));
  }

  /** other / this */
  rdiv(other: Operand): Tensor {
    if (typeof other !== "number") return new Tensor(Tensor.handle(other).div(Tensor.handle(this)));
    using numerator = Tensor.scalar(other);
    return numerator.div(this);
  }

  /** Float: each element to the power of `exponent`. */
  pow(exponent: Operand): Tensor {
    const handle = Tensor.handle(this);
    return new Tensor(
      typeof exponent === "number" ? handle.powScalar(exponent) : handle.pow(Tensor.handle(exponent)),
    );
  }

  /** -this; float or int. */
  neg(): Tensor {
    return new Tensor(Tensor.handle(this).neg());
  }

  // -- each element by itself; float --

  /** e to the power of each element. */
  exp(): Tensor {
    return new Tensor(Tensor.handle(this).exp());
  }

  /** Natural logarithm; of 0 it is -infinity, of a negative number NaN. */
  log(): Tensor {
    return new Tensor(Tensor.handle(this).log());
  }

  /** Square root. */
  sqrt(): Tensor {
    return new Tensor(Tensor.handle(this).sqrt());
  }

  /** Absolute value. */
  abs(): Tensor {
    return new Tensor(Tensor.handle(this).abs());
  }

  /** Limits every element to [low, high]; the gradient is 0 outside. Ends the call unless low <= high. */
  clamp(low: number, high: number): Tensor {
    return new Tensor(Tensor.handle(this).clamp(low, high));
  }

  /** The larger of 0 and the element. */
  relu(): Tensor {
    return new Tensor(Tensor.handle(this).relu());
  }

  /** x * Phi(x) with the exact normal distribution function, not the tanh approximation. */
  gelu(): Tensor {
    return new Tensor(Tensor.handle(this).gelu());
  }

  /** 1 / (1 + exp(-x)) */
  sigmoid(): Tensor {
    return new Tensor(Tensor.handle(this).sigmoid());
  }

  /** Hyperbolic tangent. */
  tanh(): Tensor {
    return new Tensor(Tensor.handle(this).tanh());
  }

  // -- along a dimension; float --

  /** exp(x) / sum(exp(x)) along `dim`, computed stably. */
  softmax(dim: number): Tensor {
    return new Tensor(Tensor.handle(this).softmax(dim));
  }

  /** log(softmax(x)) along `dim`, computed stably. */
  logSoftmax(dim: number): Tensor {
    return new Tensor(Tensor.handle(this).logSoftmax(dim));
  }

  // -- many elements to fewer; reduced dimensions stay with size 1, one named twice ends the call --

  /** Float or int: the sum over `dims`; over everything, shape `[1]`, when there are none. */
  sum(...dims: number[]): Tensor {
    return new Tensor(Tensor.handle(this).sum(dims));
  }

  /** Float: the mean over `dims`; over everything, shape `[1]`, when there are none. */
  mean(...dims: number[]): Tensor {
    return new Tensor(Tensor.handle(this).mean(dims));
  }

  /** Float or int: the largest element over `dims`; of everything, shape `[1]`, when there are none. */
  max(...dims: number[]): Tensor {
    return new Tensor(Tensor.handle(this).max(dims));
  }

  /** Float or int to int: index of the largest element along `dim`, the first of equals. */
  argmax(dim: number): Tensor {
    return new Tensor(Tensor.handle(this).argmax(dim));
  }

  /**
   * Float: the mean of the elements where `mask` (bool, broadcast to this shape) holds, shape `[1]`; 0 where it holds
   * nowhere, and then without a gradient. NaN and infinity where the mask does not hold do not matter.
   */
  maskedMean(mask: Tensor): Tensor {
    using leftOut = mask.logicalNot();
    using kept = this.maskedFill(leftOut, 0);
    using sum = kept.sum();
    using held = mask.toFloat();
    using all = held.sum();
    const repeated = elements(this) / Math.max(elements(mask), 1);
    using count = all.mul(repeated);
    using divisor = count.orTiny();
    return sum.div(divisor);
  }

  /**
   * A divisor that must not be 0: a sum that is at least 0, and the smallest normal number instead of 0.
   * @internal
   */
  orTiny(): Tensor {
    return this.clamp(1.1754943508222875e-38, 3.4028234663852886e38);
  }

  // -- by index or mask --

  /**
   * `out[i][j] = this[i][indices[i][j]]` for `dim` = 1, and so on. This tensor is float or int, `indices` is int, of
   * the same rank and equal in every dimension but `dim`. Ends the call on an index outside [0, size of dim).
   */
  gather(dim: number, indices: Tensor): Tensor {
    return new Tensor(Tensor.handle(this).gather(dim, Tensor.handle(indices)));
  }

  /**
   * Int to float with one more dimension, last, of size `classes`. Ends the call on a value outside [0, classes).
   */
  oneHot(classes: number): Tensor {
    return new Tensor(Tensor.handle(this).oneHot(classes));
  }

  /** This tensor is the condition, bool: `onTrue` where it holds, else `onFalse`, of the same dtype; broadcasts. */
  where(onTrue: Operand, onFalse: Operand): Tensor {
    const [yes, no] = [lifted(onTrue, onFalse), lifted(onFalse, onTrue)];
    return new Tensor(Tensor.handle(this).where(Tensor.handle(yes), Tensor.handle(no)));
  }

  /** Float: `value` wherever `mask` holds, which is bool and broadcasts to this tensor's shape. */
  maskedFill(mask: Tensor, value: number): Tensor {
    return new Tensor(Tensor.handle(this).maskedFill(Tensor.handle(mask), value));
  }

  // -- comparison: elementwise, broadcasting, bool result; operands of the same dtype --

  /** this == other; any dtype. */
  equal(other: Operand): Tensor {
    return new Tensor(Tensor.handle(this).equal(Tensor.handle(lifted(other, this))));
  }

  /** this > other; float or int, as are the next three. */
  greater(other: Operand): Tensor {
    return new Tensor(Tensor.handle(this).greater(Tensor.handle(lifted(other, this))));
  }

  /** this >= other */
  greaterEqual(other: Operand): Tensor {
    return new Tensor(Tensor.handle(this).greaterEqual(Tensor.handle(lifted(other, this))));
  }

  /** this < other */
  less(other: Operand): Tensor {
    return new Tensor(Tensor.handle(this).less(Tensor.handle(lifted(other, this))));
  }

  /** this <= other */
  lessEqual(other: Operand): Tensor {
    return new Tensor(Tensor.handle(this).lessEqual(Tensor.handle(lifted(other, this))));
  }

  /** Bool to bool. */
  logicalNot(): Tensor {
    return new Tensor(Tensor.handle(this).logicalNot());
  }

  // -- shape; any dtype but for matmul --

  /**
   * The same elements in row-major order. One entry may be -1 and is inferred. Ends the call when the number of
   * elements would change.
   */
  reshape(shape: readonly number[]): Tensor {
    return new Tensor(Tensor.handle(this).reshape(shape));
  }

  /** Swaps two dimensions. */
  transpose(dim0: number, dim1: number): Tensor {
    return new Tensor(Tensor.handle(this).transpose(dim0, dim1));
  }

  /** Elements `start` up to but not including `end` along `dim`. Ends the call unless start < end <= size. */
  slice(dim: number, start: number, end: number): Tensor {
    return new Tensor(Tensor.handle(this).slice(dim, start, end));
  }

  /** Joins tensors of the same dtype that agree in every dimension but `dim`. Ends the call when there are none. */
  static concat(parts: readonly Tensor[], dim: number): Tensor {
    return new Tensor(Handle.concat(parts.map(Tensor.handle), dim));
  }

  /**
   * Float: matrix product over the last two dimensions, `[.., m, k] x [.., k, n] -> [.., m, n]`; leading dimensions
   * broadcast.
   */
  matmul(other: Tensor): Tensor {
    return new Tensor(Tensor.handle(this).matmul(Tensor.handle(other)));
  }

  /** Bool or int to float (true is 1); float unchanged. */
  toFloat(): Tensor {
    return new Tensor(Tensor.handle(this).toFloat());
  }

  /** Bool to int (true is 1), float to int (towards zero); int unchanged. */
  toInt(): Tensor {
    return new Tensor(Tensor.handle(this).toInt());
  }

  // -- gradients --

  /** The same values, cut off from differentiation. */
  detach(): Tensor {
    return new Tensor(Tensor.handle(this).detach());
  }

  /**
   * For a loss that brings its own gradient. This tensor is what the gradient is about (for example the logits),
   * `value` the loss, float `[1]`, and `gradient` d value / d this, float of this tensor's shape. The result has the
   * value of `value`, and back-propagates `gradient` (times whatever arrives from above) into this tensor, nothing
   * into `value` or `gradient`.
   */
  withGradient(value: Tensor, gradient: Tensor): Tensor {
    return new Tensor(Tensor.handle(this).withGradient(Tensor.handle(value), Tensor.handle(gradient)));
  }

  // -- reading back; waits for the device, and needs the permission `read-tensors` --

  /** All elements, row-major, as floats (int and bool are converted). Ends the call above 16,777,216 elements. */
  read(): Float32Array {
    return new Float32Array(Tensor.handle(this).read());
  }

  /**
   * All elements of an int or bool tensor, row-major. Ends the call on float, and above 16,777,216 elements. Ints
   * beyond 2^53 lose their last digits.
   */
  readInts(): number[] {
    return Tensor.handle(this).readInts();
  }

  /** The only element, as a number. Throws when there are several. */
  item(): number {
    const values = Tensor.handle(this).read();
    if (values.length !== 1) throw new RangeError(`item: ${this} has ${values.length} elements`);
    return values[0]!;
  }

  // -- lifetime --

  /**
   * Gives the tensor back to the host now. Usually not needed: see the class. `using logP = ...` does it at the end
   * of a block.
   */
  dispose(): void {
    const slot = this.#slot;
    slot.handle?.[Symbol.dispose]();
    slot.handle = null;
  }

  /** As {@link dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * Gives back every tensor of the call that ends.
 * @internal
 */
export function disposeAll(): void {
  for (const slot of live) {
    slot.handle?.[Symbol.dispose]();
    slot.handle = null;
  }
  live = [];
  limit = 256;
}

/** Gives back the tensors that nobody can reach any more. Objects are counted, so there is no waiting for those. */
function sweep(): void {
  live = live.filter((slot) => {
    if (slot.handle === null) return false;
    if (slot.owner.deref() !== undefined) return true;
    slot.handle[Symbol.dispose]();
    slot.handle = null;
    return false;
  });
  limit = Math.max(256, 2 * live.length);
}

/** A number as a tensor of the dtype of what it meets. */
function lifted(value: Operand, meets: Operand): Tensor {
  if (typeof value !== "number") return value;
  const isInt = meets instanceof Tensor && meets.dtype === "int";
  return isInt ? Tensor.fromInts([1], [value]) : Tensor.scalar(value);
}

function elements(tensor: Tensor): number {
  return tensor.shape.reduce((product, size) => product * size, 1);
}

function described(value: unknown): string {
  return value === null ? "null" : typeof value === "object" ? (value.constructor?.name ?? "an object") : typeof value;
}
