/** What an exporter reads and writes. There is no file system. */

import type { Bundle as BundleHandle, Model as ModelHandle } from "pegbox:plugin/artifacts";
import type { Element, ModelFile, TensorInfo } from "pegbox:plugin/artifacts";

export type { Element, ModelFile, TensorInfo } from "pegbox:plugin/artifacts";

/** The trained model, read-only. It is gone when the call ends. */
export class Model {
  #handle: ModelHandle;

  /** @internal */
  constructor(handle: ModelHandle) {
    this.#handle = handle;
  }

  /** config.json of the trained model, as text: the base model's, with its labels and architecture set. */
  get configuration(): string {
    return this.#handle.configuration();
  }

  /** tokenizer.json, tokenizer_config.json, vocab.txt and so on: those that the base model has. */
  get tokenizerFiles(): ModelFile[] {
    return this.#handle.tokenizerFiles();
  }

  /** Class names, index = class id. */
  get labels(): string[] {
    return this.#handle.labels();
  }

  /** JSON object, as text: scores of the evaluation by part and metric, `{"test": {"accuracy": 0.93}}`. */
  get metrics(): string {
    return this.#handle.metrics();
  }

  /**
   * JSON object, as text: base model and its licence, dataset digests, plugins with versions and digests, recipe,
   * seed, Pegbox's version.
   */
  get provenance(): string {
    return this.#handle.provenance();
  }

  /** Every tensor of the model, in the order in which they are best written. */
  get tensors(): TensorInfo[] {
    return this.#handle.tensors();
  }

  /**
   * `count` elements of the tensor `name`, row-major from element `start`, little-endian. Ends the call when the name
   * is unknown or the range leaves the tensor, and above 16 MiB; {@link pieces} reads a whole tensor without thinking
   * of that.
   */
  read(name: string, start: number, count: number, element: Element = "float32"): Uint8Array {
    return this.#handle.read(name, start, count, element);
  }

  /** The whole tensor as {@link read} gives it, in order, in pieces of at most `elements` elements. */
  *pieces(tensor: TensorInfo, element: Element = "float32", elements = 1 << 20): Generator<Uint8Array, void> {
    const total = tensor.shape.reduce((product, size) => product * size, 1);
    for (let start = 0; start < total; start += elements) {
      yield this.read(tensor.name, start, Math.min(elements, total - start), element);
    }
  }
}

/**
 * The artifact being written. It appears at the recipe's `to` when the exporter returns, whole; after an error
 * nothing of it remains.
 */
export class Bundle {
  #handle: BundleHandle;

  /** @internal */
  constructor(handle: BundleHandle) {
    this.#handle = handle;
  }

  /**
   * Starts an empty file. `path` is relative, with `/` between its parts. Ends the call for a path that could leave
   * the bundle (`..`, an empty or `.` part, a leading `/`, a backslash, a colon, a control character), one longer
   * than 255 bytes, and one that was created before, whatever its case.
   */
  create(path: string): void {
    this.#handle.create(path);
  }

  /** Adds to the end of a file that {@link create} started; text as UTF-8. Ends the call if it did not. */
  append(path: string, content: Uint8Array | string): void {
    this.#handle.append(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  }

  /** A file with this content, whole: {@link create}, then {@link append}. */
  write(path: string, content: Uint8Array | string): void {
    this.create(path);
    this.append(path, content);
  }
}
