/** Where a line of the bundle stands in the author's files. */

/** Written in the place of this text when the bundle is made: file names, and for each line of the bundle
 * `column, file, line` wherever that changes. */
const TABLE = "PEGBOX-SOURCES";

type Table = { files: string[]; lines: Record<number, number[]> };

let table: Table | undefined;

/** `plugin.js:12`: the innermost place in `stack` that is the author's, or undefined if there is none. */
function place(stack: string | undefined): string | undefined {
  table ??= parsed();
  for (const [, line, column] of (stack ?? "").matchAll(/:(\d+):(\d+)\)?$/gm)) {
    const found = lookUp(table, Number(line), Number(column));
    if (found) return found;
  }
  return undefined;
}

/** `message (plugin.js:12)`, with the place of the author's code that is running. */
export function located(message: string, stack = new Error().stack): string {
  const where = place(stack);
  return where ? `${message} (${where})` : message;
}

function lookUp(table: Table, line: number, column: number): string | undefined {
  const entries = table.lines[line] ?? [];
  let found: string | undefined;
  for (let i = 0; i < entries.length && entries[i]! <= column; i += 3) {
    const file = table.files[entries[i + 1]!];
    found = file && `${file}:${entries[i + 2]}`;
  }
  return found;
}

function parsed(): Table {
  return TABLE.startsWith("{") ? JSON.parse(TABLE) : { files: [], lines: {} };
}
