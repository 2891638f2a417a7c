/** Files in the folders that `read = [...]` under `[permissions]` names and the recipe grants; read-only. */

import { getDirectories } from "wasi:filesystem/preopens";
import type { Descriptor } from "wasi:filesystem/types";

import { PluginError } from "./error.ts";
import { code } from "./glue/payload.ts";

const CHUNK = 1 << 20;

/**
 * The file's content.
 *
 * @param path Begins with a granted folder as the manifest names it: `lexicons/de.txt`.
 * @throws {PluginError} It is not in a granted folder, not there, or cannot be read.
 */
export function read(path: string): Uint8Array {
  using file = opened(path, {});
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let end = false; !end; ) {
    const [part, last] = tried(path, () => file.read(CHUNK, length));
    parts.push(part);
    length += part.length;
    end = last;
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** As {@link read}, as UTF-8 text. */
export function readText(path: string): string {
  return new TextDecoder().decode(read(path));
}

/**
 * The names in a folder, sorted.
 *
 * @throws {PluginError} As {@link read}.
 */
export function list(path: string): string[] {
  using folder = opened(path, { directory: true });
  using entries = tried(path, () => folder.readDirectory());
  const names: string[] = [];
  for (let entry = entries.readDirectoryEntry(); entry !== null; entry = entries.readDirectoryEntry()) {
    names.push(entry.name);
  }
  return names.sort();
}

function opened(path: string, flags: { directory?: boolean }): Descriptor {
  const wanted = plain(path);
  for (const [folder, name] of getDirectories()) {
    const granted = plain(name);
    if (wanted === granted || wanted.startsWith(`${granted}/`)) {
      const below = wanted.slice(granted.length + 1) || ".";
      const openFlags = { create: false, directory: false, exclusive: false, truncate: false, ...flags };
      return tried(path, () => folder.openAt({ symlinkFollow: true }, below, openFlags, NOTHING_BUT_READ));
    }
  }
  throw new PluginError(`${path} is in no folder that the recipe grants`, {
    help: "ask for its folder in plugin.toml, under [permissions] as `read`, and grant it in the recipe",
  });
}

const NOTHING_BUT_READ = {
  read: true,
  write: false,
  fileIntegritySync: false,
  dataIntegritySync: false,
  requestedWriteSync: false,
  mutateDirectory: false,
};

function tried<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (fault) {
    throw new PluginError(`${path} cannot be read: ${code(fault) ?? String(fault)}`, { cause: fault });
  }
}

function plain(path: string): string {
  return path.replace(/^(\.\/)+/, "").replace(/\/+$/, "");
}
