/** The plugin that the author's file declares, as the host meets it: described, then configured once. */

import type { Description, Kind } from "pegbox:plugin/lifecycle";

import { PluginError } from "../error.ts";
import type { Cleaner, Configuration, Exporter, Loss, Metric, PluginDefinition, Validator } from "../plugin.ts";
import { call } from "./call.ts";

/** What `plugin.toml` says. */
export interface Manifest {
  name: string;
  version: string;
  kinds: Kind[];
  /** The author's file, for messages. */
  source: string;
}

/** What does the work, by kind. */
export interface Kinds {
  cleaner: Cleaner;
  validator: Validator;
  loss: Loss;
  metric: Metric;
  exporter: Exporter;
}

/** The methods that the objects must have. */
const METHODS: { [K in Kind]: readonly string[] } = {
  cleaner: ["clean"],
  validator: ["validate"],
  loss: ["compute"],
  metric: ["update", "state", "merge", "compute", "reset"],
  exporter: ["export"],
};

/** A declared plugin. Its methods are the exports of the component. */
export class Plugin {
  #manifest: Manifest;
  #definition: PluginDefinition;
  #kinds: Partial<Kinds> = {};

  /** Fails the build when the file declares something else than the manifest says. */
  constructor(definition: PluginDefinition, manifest: Manifest) {
    const { source } = manifest;
    if (typeof definition !== "object" || definition === null) {
      throw new Error(`the default export of ${source} is no plugin; write \`export default definePlugin({ ... })\``);
    }
    if (typeof definition.schema !== "object" || definition.schema === null) {
      throw new Error(`${source} gives no \`schema\`; without a configuration write { type: "object" }`);
    }
    for (const kind of Object.keys(METHODS) as Kind[]) {
      const [listed, given] = [manifest.kinds.includes(kind), definition[kind] !== undefined];
      if (listed && !given) throw new Error(`plugin.toml lists the kind \`${kind}\`, and ${source} has no \`${kind}\``);
      if (given && !listed) throw new Error(`${source} has \`${kind}\`, which \`kinds\` in plugin.toml does not list`);
      if (given && typeof definition[kind] !== "function") {
        throw new Error(`\`${kind}\` in ${source} must be a function that takes the configuration`);
      }
    }
    this.#manifest = manifest;
    this.#definition = definition;
  }

  /** `lifecycle.describe` */
  describe(): Description {
    const { name, version, kinds } = this.#manifest;
    return { name, version, kinds, configurationSchema: JSON.stringify(this.#definition.schema) };
  }

  /** `lifecycle.configure` */
  configure(json: string): void {
    call(() => {
      const configuration = { ...defaults(this.#definition), ...JSON.parse(json) };
      for (const kind of this.#manifest.kinds) this.#make(kind, configuration);
    });
  }

  /** What does the work of `kind`. */
  of<K extends Kind>(kind: K): Kinds[K] {
    const made = this.#kinds[kind];
    if (made === undefined) throw new Error(`${kind} was called before configure`);
    return made as Kinds[K];
  }

  #make<K extends Kind>(kind: K, configuration: Configuration): void {
    const make = this.#definition[kind] as ((configuration: Configuration) => Kinds[K]) | undefined;
    const made = make?.(configuration);
    for (const method of METHODS[kind]) {
      if (typeof (made as Record<string, unknown> | undefined)?.[method] !== "function") {
        throw new PluginError(`\`${kind}\` in ${this.#manifest.source} returns an object without a method \`${method}\``);
      }
    }
    this.#kinds[kind] = made;
  }
}

/** The defaults that the schema gives to the top-level properties. */
function defaults({ schema }: PluginDefinition): Configuration {
  const given = Object.entries(schema.properties ?? {}).filter(([, property]) => property?.default !== undefined);
  return Object.fromEntries(given.map(([name, property]) => [name, structured(property.default)]));
}

/** A copy: the author may change what is handed over. */
function structured(value: unknown): unknown {
  return typeof value === "object" ? JSON.parse(JSON.stringify(value)) : value;
}
