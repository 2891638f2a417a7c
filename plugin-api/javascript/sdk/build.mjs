// Makes a plugin's component: bundles the author's file with the glue, and puts the bundle into a component with the
// QuickJS engine. Started by `pegbox plugin build` as `node build.mjs job.json`. A mistake in the plugin is written to a
// file, for the builder to tell; anything else that goes wrong is printed.

import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";

/**
 * @typedef {object} Job
 * @property {string} tools    The folder whose node_modules has esbuild and componentize-qjs.
 * @property {string} entry    The file that exports what the component exports.
 * @property {string} sdk      The folder of the module pegbox-plugin.
 * @property {string} folder   The plugin's folder.
 * @property {string} wit      The folder with the world.
 * @property {string} world    The world's name.
 * @property {Record<string, string>} interfaces  What the world imports: as modules name it, and in full.
 * @property {Record<string, string>} permissions What an interface is that a module names and the world does not
 *                                                import: the permission that would bring it.
 * @property {string} bundle    Where the bundle goes.
 * @property {string} component Where the component goes.
 * @property {string} fault     Where a mistake in the plugin goes: `{ "fault": ..., "help": ... }`.
 */

/** @type {Job} */
const job = JSON.parse(await readFile(process.argv[2], "utf8"));
const require = createRequire(join(job.tools, "node_modules", "package.json"));

/** Interfaces of WIT are no files: they stay imports. */
const interfaces = {
  name: "interfaces",
  setup(build) {
    build.onResolve({ filter: /^(pegbox|wasi):/ }, ({ path }) => ({
      path: job.interfaces[path] ?? path,
      external: true,
      sideEffects: false,
    }));
    build.onResolve({ filter: /^node:/ }, ({ path }) => ({
      errors: [{ text: `${path} is a part of Node.js: a plugin runs in a sandbox, without one` }],
    }));
  },
};

async function bundled() {
  const { build } = require("esbuild");
  const { outputFiles, metafile } = await build({
    entryPoints: [job.entry],
    bundle: true,
    write: false,
    outfile: job.bundle,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["import"],
    target: "es2024",
    supported: { using: false },
    charset: "utf8",
    sourcemap: "external",
    metafile: true,
    logLevel: "silent",
    alias: { "pegbox-plugin": job.sdk },
    absWorkingDir: job.folder,
    plugins: [interfaces],
  });
  const [map, code] = ["map", "js"].map((end) => outputFiles.find((file) => file.path.endsWith(end)).text);
  const known = new Set(Object.values(job.interfaces));
  for (const { path, external } of Object.values(metafile.outputs).flatMap((output) => output.imports)) {
    if (external && !known.has(path)) throw foreign(path);
  }
  const table = places(JSON.parse(map));
  const literal = JSON.stringify(JSON.stringify(table)).slice(1, -1);
  return { code: code.replace("PEGBOX-SOURCES", () => literal), table };
}

function foreign(path) {
  const permission = job.permissions[path];
  if (permission) {
    return new Fault(`it uses ${path}, and plugin.toml does not ask for it`, `add \`${permission}\` under [permissions]`);
  }
  if (path.startsWith("pegbox:plugin/")) {
    return new Fault(`it uses ${path}, which no kind that plugin.toml lists has`, "mend `kinds` in plugin.toml");
  }
  return new Fault(`it imports ${path}, which no plugin has`);
}

/** From esbuild's map what error messages need: for each line of the bundle `column, file, line`, where it changes. */
function places({ mappings, sources }) {
  const base = dirname(job.bundle);
  const files = sources.map((source) => {
    const file = join(base, source);
    const isAuthors = !relative(job.folder, file).startsWith("..") && relative(job.sdk, file).startsWith("..");
    return isAuthors && file !== job.entry ? relative(job.folder, file).replaceAll("\\", "/") : null;
  });
  const lines = {};
  let [source, line] = [0, 0];
  mappings.split(";").forEach((group, index) => {
    const entries = [];
    let [column, last] = [0, ""];
    for (const segment of group ? group.split(",") : []) {
      const [columns, sourceDelta = 0, lineDelta = 0] = vlq(segment);
      column += columns;
      source += sourceDelta;
      line += lineDelta;
      const here = `${source}:${line}`;
      if (here !== last) entries.push(column + 1, source, line + 1);
      last = here;
    }
    if (entries.some((_, i) => i % 3 === 1 && files[entries[i]])) lines[index + 1] = entries;
  });
  return { files, lines };
}

/** The numbers of one segment of a source map. */
function vlq(segment) {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const numbers = [];
  let [value, shift] = [0, 0];
  for (const letter of segment) {
    const digit = digits.indexOf(letter);
    value |= (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return numbers;
}

/** A mistake in the plugin. */
class Fault extends Error {
  constructor(message, help = null) {
    super(message);
    this.help = help;
  }
}

/** What the bundler says, with the lines that it is about. */
async function ofBundler(error) {
  if (!Array.isArray(error?.errors) || error.errors.length === 0) return error;
  const { formatMessages } = require("esbuild");
  const messages = await formatMessages(error.errors, { kind: "error", color: false });
  return new Fault(messages.map((message) => message.replace("✘ [ERROR] ", "").trim()).join("\n"));
}

/** What the plugin's code threw while it was loaded, with the author's line. */
function ofEngine(error, table) {
  const [, thrown] = /module evaluation: ([^]*)/.exec(error?.message ?? "") ?? [];
  if (thrown === undefined) return error;
  const [first] = thrown.split(/\n\s+at /);
  const message = first.replace(/^Error: /, "");
  const where = [...thrown.matchAll(/:(\d+):(\d+)\)?$/gm)].map(([, line, column]) => place(table, line, column)).find(Boolean);
  return new Fault(where && !message.endsWith(")") ? `${message} (${where})` : message);
}

/** `plugin.js:12`, if that place of the bundle is the author's. */
function place({ files, lines }, line, column) {
  const entries = lines[line] ?? [];
  let found;
  for (let i = 0; i < entries.length && entries[i] <= column; i += 3) {
    const file = files[entries[i + 1]];
    found = file && `${file}:${entries[i + 2]}`;
  }
  return found;
}

async function made(source) {
  const { componentize } = require("componentize-qjs");
  const { component } = await componentize({
    witPath: job.wit,
    world: job.world,
    jsSource: source,
    sync: true,
    stubWasi: true,
  });
  return component;
}

try {
  const { code, table } = await bundled().catch(async (error) => {
    throw await ofBundler(error);
  });
  await writeFile(job.bundle, code);
  const component = await made(code).catch((error) => {
    throw ofEngine(error, table);
  });
  await writeFile(job.component, component);
} catch (error) {
  if (error instanceof Fault) await writeFile(job.fault, JSON.stringify({ fault: error.message, help: error.help }));
  console.error(error instanceof Fault ? error.message : error);
  process.exitCode = 1;
}
