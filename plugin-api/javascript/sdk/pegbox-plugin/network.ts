/** HTTP requests to the hosts that `network = [...]` under `[permissions]` names and the recipe grants. */

import { handle } from "wasi:http/outgoing-handler";
import { Fields, OutgoingBody, OutgoingRequest, RequestOptions, type Method, type Scheme } from "wasi:http/types";
import { IncomingBody, type IncomingResponse } from "wasi:http/types";

import { PluginError } from "./error.ts";
import { code } from "./glue/payload.ts";

/** What to send. */
export interface RequestInit {
  /** `GET` unless said otherwise. */
  method?: string;
  headers?: Record<string, string>;
  /** Text goes as UTF-8. */
  body?: string | Uint8Array;
  /** Milliseconds until the first byte of the answer, and between its bytes; 10,000 unless said otherwise. */
  timeout?: number;
}

/** What came back. Unlike the `Response` of browsers it is there at once: plugins have no promises to wait for. */
export interface Response {
  readonly status: number;
  /** Whether the status is one of 200 to 299. */
  readonly ok: boolean;
  /** By name, in lower case; several of one name are joined with `, `. */
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
  /** The body as UTF-8 text. */
  text(): string;
  /** The body as JSON. */
  json(): any;
}

const CHUNK = 1 << 16;
/** What one write to a body may hold. */
const PIECE = 4096;

/**
 * Sends a request and waits for the whole answer. The call's deadline goes on meanwhile.
 *
 * @param url `https://example.org/path?query`
 * @throws {PluginError} The URL is not one, the host is not granted, or there was no answer.
 */
export function fetch(url: string, init: RequestInit = {}): Response {
  const { scheme, authority, path } = parsed(url);
  const request = new OutgoingRequest(fields(init.headers ?? {}));
  request.setMethod(method(init.method ?? "GET"));
  request.setScheme(scheme);
  request.setAuthority(authority);
  request.setPathWithQuery(path);
  const body = request.body();
  const nanoseconds = Math.round((init.timeout ?? 10_000) * 1e6);
  const options = new RequestOptions();
  options.setConnectTimeout(nanoseconds);
  options.setFirstByteTimeout(nanoseconds);
  options.setBetweenBytesTimeout(nanoseconds);
  return tried(url, () => {
    using future = handle(request, options);
    const unwritten = written(body, init.body);
    {
      using ready = future.subscribe();
      ready.block();
    }
    const answer = future.get();
    if (answer?.tag !== "ok") throw new Error("there was no answer");
    if (answer.val.tag === "err") throw answer.val.val;
    if (unwritten !== undefined) throw unwritten;
    using response = answer.val.val;
    return received(response);
  });
}

/** Writes the body and ends it. Why that failed, if it did: the answer to the request may say it better. */
function written(body: OutgoingBody, content: string | Uint8Array | undefined): unknown {
  try {
    if (content !== undefined) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      using stream = body.write();
      for (let start = 0; start < bytes.length; start += PIECE) {
        stream.blockingWriteAndFlush(bytes.subarray(start, start + PIECE));
      }
    }
    OutgoingBody.finish(body, null);
    return undefined;
  } catch (fault) {
    return fault;
  }
}

function received(response: IncomingResponse): Response {
  const status = response.status();
  const headers: Record<string, string> = {};
  using all = response.headers();
  for (const [name, value] of all.entries()) {
    const [key, text] = [name.toLowerCase(), new TextDecoder().decode(value)];
    headers[key] = key in headers ? `${headers[key]}, ${text}` : text;
  }
  const body = content(response);
  const text = () => new TextDecoder().decode(body);
  return { status, ok: status >= 200 && status < 300, headers, body, text, json: () => JSON.parse(text()) };
}

function content(response: IncomingResponse): Uint8Array {
  using body: IncomingBody = response.consume();
  using stream = body.stream();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    let part;
    try {
      part = stream.blockingRead(CHUNK);
    } catch (fault) {
      if (code(fault) === "closed") break;
      throw fault;
    }
    parts.push(part);
    length += part.length;
  }
  const whole = new Uint8Array(length);
  parts.reduce((offset, part) => (whole.set(part, offset), offset + part.length), 0);
  return whole;
}

function fields(headers: Record<string, string>): Fields {
  const fields = new Fields();
  for (const [name, value] of Object.entries(headers)) fields.append(name, new TextEncoder().encode(value));
  return fields;
}

function method(name: string): Method {
  const known = ["get", "head", "post", "put", "delete", "connect", "options", "trace", "patch"] as const;
  const tag = known.find((tag) => tag === name.toLowerCase());
  return tag ? { tag } : { tag: "other", val: name };
}

function parsed(url: string): { scheme: Scheme; authority: string; path: string } {
  const parts = /^(https?):\/\/([^/?#@]+)([^#]*)/i.exec(url);
  if (!parts) throw new PluginError(`\`${url}\` is not a URL of http or https`);
  const [, scheme, authority, rest] = parts as unknown as [string, string, string, string];
  const path = rest.startsWith("/") ? rest : `/${rest}`;
  return { scheme: { tag: scheme.toLowerCase() === "http" ? "HTTP" : "HTTPS" }, authority, path };
}

function tried<T>(url: string, work: () => T): T {
  try {
    return work();
  } catch (fault) {
    const reason = code(fault) ?? String(fault);
    const help = reason === "HTTP-request-denied" ? "grant its host in the recipe, as `network`" : undefined;
    throw new PluginError(`${url} cannot be fetched: ${reason}`, help ? { help, cause: fault } : { cause: fault });
  }
}
