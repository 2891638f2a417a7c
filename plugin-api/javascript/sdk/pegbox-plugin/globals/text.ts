/** `TextEncoder` and `TextDecoder`, for UTF-8. */

const REPLACEMENT = 0xfffd;

class Encoder {
  readonly encoding = "utf-8";

  encode(text = ""): Uint8Array {
    const utf8 = unescape(encodeURIComponent(String(text).toWellFormed()));
    const bytes = new Uint8Array(utf8.length);
    for (let i = 0; i < utf8.length; i++) bytes[i] = utf8.charCodeAt(i);
    return bytes;
  }
}

class Decoder {
  readonly encoding = "utf-8";
  #fatal: boolean;
  #keepMark: boolean;

  constructor(label = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    if (!/^utf-?8$/i.test(label)) throw new RangeError(`TextDecoder knows utf-8, not ${label}`);
    this.#fatal = options.fatal ?? false;
    this.#keepMark = options.ignoreBOM ?? false;
  }

  decode(source: ArrayBuffer | ArrayBufferView = new ArrayBuffer(0)): string {
    const bytes =
      source instanceof ArrayBuffer
        ? new Uint8Array(source)
        : new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength);
    const text = this.#text(bytes);
    return !this.#keepMark && text.startsWith("\ufeff") ? text.slice(1) : text;
  }

  #text(bytes: Uint8Array): string {
    const pieces: string[] = [];
    let points: number[] = [];
    for (let i = 0; i < bytes.length; ) {
      const [point, length] = decoded(bytes, i);
      if (point === undefined && this.#fatal) throw new TypeError(`byte ${i} is not UTF-8`);
      points.push(point ?? REPLACEMENT);
      i += length;
      if (points.length === 4096) {
        pieces.push(String.fromCodePoint(...points));
        points = [];
      }
    }
    pieces.push(String.fromCodePoint(...points));
    return pieces.join("");
  }
}

/** The character at `start`, undefined if there is none, and how many bytes it or the fault takes. */
function decoded(bytes: Uint8Array, start: number): [number | undefined, number] {
  const first = bytes[start]!;
  if (first < 0x80) return [first, 1];
  const more = first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xf0 && first < 0xf5 ? 3 : 0;
  if (more === 0) return [undefined, 1];
  // The second byte excludes overlong forms, surrogates and what is above U+10FFFF.
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  let point = first & (0x3f >> more);
  for (let i = 1; i <= more; i++) {
    const byte = bytes[start + i];
    const fits = byte !== undefined && byte >= (i === 1 ? low : 0x80) && byte <= (i === 1 ? high : 0xbf);
    if (!fits) return [undefined, i];
    point = (point << 6) | (byte & 0x3f);
  }
  return [point, more + 1];
}

Object.assign(globalThis, { TextEncoder: Encoder, TextDecoder: Decoder });
