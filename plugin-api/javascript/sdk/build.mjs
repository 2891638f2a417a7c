// Makes a plugin's component: bundles the author's file with the glue, and puts the bundle into a component with the
// QuickJS engine. Started by `pegbox plugin build` as `node build.mjs job.json`; prints what is wrong, if anything.

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
    if (external && !known.has(path)) throw new Fault(foreign(path));
  }
  return code.replace("PEGBOX-SOURCES", () => JSON.stringify(JSON.stringify(places(JSON.parse(map)))).slice(1, -1));
}

function foreign(path) {
  const permission = job.permissions[path];
  if (permission) return `it needs \`${permission}\` under [permissions] in plugin.toml`;
  if (path.startsWith("pegbox:plugin/")) return `it uses ${path}, which no kind in plugin.toml has: see \`kinds\` there`;
  return `it imports ${path}, which no plugin has`;
}

/** From esbuild's map what error messages need: for each line of the bundle `column, file, line`, where it changes. */
function places({ mappings, sources }) {
  const base = dirname(job.bundle);
  const files = sources.map((source) => {
    const name = relative(job.folder, join(base, source));
    return name.startsWith("..") ? null : name.replaceAll("\\", "/");
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

/** A mistake in the plugin: shown without where in this file it was found. */
class Fault extends Error {}

/** What esbuild and the engine say, as an author wants to read it. */
async function explained(error) {
  if (Array.isArray(error?.errors) && error.errors.length > 0) {
    const { formatMessages } = require("esbuild");
    return (await formatMessages(error.errors, { kind: "error", color: false })).join("\n").trim();
  }
  return error instanceof Fault ? error.message : String(error?.message ?? error);
}

try {
  const source = await bundled();
  await writeFile(job.bundle, source);
  const { componentize } = require("componentize-qjs");
  const { component } = await componentize({
    witPath: job.wit,
    world: job.world,
    jsSource: source,
    sync: true,
    stubWasi: true,
  });
  await writeFile(job.component, component);
} catch (error) {
  console.error(await explained(error));
  process.exitCode = 1;
}
