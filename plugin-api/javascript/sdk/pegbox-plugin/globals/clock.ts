/** `Date` and `performance` with the permission `clock`. */

import { now, steady } from "../clock.ts";

const Given = Date;
Given.now = () => Math.floor(now());
Object.assign(globalThis, {
  Date: new Proxy(Given, {
    construct: (target, values, made) => Reflect.construct(target, values.length === 0 ? [Given.now()] : values, made),
    apply: () => new Given(Given.now()).toString(),
  }),
  performance: { now: steady },
});
Given.prototype.constructor = Date;
