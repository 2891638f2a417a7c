/** `Date` and `performance` without the permission `clock`: dates that are given work, the present one is unknown. */

import { PluginError } from "../error.ts";
import { located } from "../glue/sources.ts";

function refuse(): never {
  throw new PluginError(located("a plugin does not know what time it is"), {
    help: "ask for `clock = true` under [permissions] in plugin.toml, and grant it in the recipe",
  });
}

const Given = Date;
Given.now = refuse;
Object.assign(globalThis, {
  Date: new Proxy(Given, {
    construct: (target, values, made) => (values.length === 0 ? refuse() : Reflect.construct(target, values, made)),
    apply: refuse,
  }),
  performance: { now: refuse },
});
Given.prototype.constructor = Date;
