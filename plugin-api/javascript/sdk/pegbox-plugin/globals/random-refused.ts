/** `Math.random` without the permission `random`: the same input gives the same output. */

import { PluginError } from "../error.ts";
import { located } from "../glue/sources.ts";

Math.random = () => {
  throw new PluginError(located("a plugin has no random numbers"), {
    help: "ask for `random = true` under [permissions] in plugin.toml, and grant it in the recipe",
  });
};
