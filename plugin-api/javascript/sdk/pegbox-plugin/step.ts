/** One forward pass, as a loss or a metric sees it. */

import type { Step as Handle } from "pegbox:plugin/steps";

import { Tensor } from "./tensor.ts";

/**
 * The step that a call is about. In shapes, B is the number of rows, C the number of classes (vocabulary size for
 * language modelling), T the padded length in tokens, H the hidden size. It is gone when the call ends.
 */
export class Step {
  #handle: Handle;
  #logits: Tensor | undefined;
  #labels: Tensor | undefined;
  #mask: Tensor | undefined;
  #weights: Tensor | undefined;

  /** @internal */
  constructor(handle: Handle) {
    this.#handle = handle;
  }

  /** Number of this optimizer step, from 0; of this batch, for a metric. */
  get number(): number {
    return this.#handle.number();
  }

  /** True while training, false while validating or testing. */
  get training(): boolean {
    return this.#handle.training();
  }

  /** Numbers of the records in this batch, length B. */
  get recordIds(): number[] {
    return this.#handle.recordIds();
  }

  /** Class names, index = class id, length C; empty for language modelling. */
  get classes(): string[] {
    return this.#handle.classes();
  }

  /** Float `[B, C]` for classification, `[B, T, C]` for tagging and language modelling. Differentiable. */
  get logits(): Tensor {
    return (this.#logits ??= Tensor.wrap(this.#handle.logits()));
  }

  /**
   * Int `[B]` for classification, `[B, T]` otherwise: class ids in [0, C), also where the mask is false (there the
   * value means nothing).
   */
  get labels(): Tensor {
    return (this.#labels ??= Tensor.wrap(this.#handle.labels()));
  }

  /** Bool of the shape of the labels: true where a label counts. */
  get mask(): Tensor {
    return (this.#mask ??= Tensor.wrap(this.#handle.mask()));
  }

  /** Float of the shape of the labels: the weight of each example; 1 where the recipe gives none. */
  get weights(): Tensor {
    return (this.#weights ??= Tensor.wrap(this.#handle.weights()));
  }

  /** Float of the shape of the logits, not differentiable; null without a teacher (distillation). */
  teacherLogits(): Tensor | null {
    const handle = this.#handle.teacherLogits();
    return handle && Tensor.wrap(handle);
  }

  /**
   * Number of hidden states at hand: layers + 1 (the first is the embeddings' output), or 0 when the recipe does not
   * ask for them.
   */
  get hiddenStateCount(): number {
    return this.#handle.hiddenStateCount();
  }

  /** Float `[B, T, H]`, differentiable. Ends the call when `layer` is not below {@link hiddenStateCount}. */
  hiddenState(layer: number): Tensor {
    return Tensor.wrap(this.#handle.hiddenState(layer));
  }

  /**
   * What a loss returns, from one loss a label: `sum(w * x) / sum(w)` over the labels where the mask holds, w being
   * {@link weights}. Float `[1]`; 0 when no label counts or all weights are 0, and then without a gradient.
   *
   * @param perLabel Float of the shape of the labels. A NaN where the mask does not hold does not matter.
   */
  weightedMean(perLabel: Tensor): Tensor {
    using leftOut = this.mask.logicalNot();
    using weights = this.weights.maskedFill(leftOut, 0);
    using kept = perLabel.maskedFill(leftOut, 0);
    using weighted = kept.mul(weights);
    using sum = weighted.sum();
    using total = weights.sum();
    using divisor = total.orTiny();
    return sum.div(divisor);
  }
}
