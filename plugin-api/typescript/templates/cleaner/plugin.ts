import { definePlugin, drop, keep, replace } from "pegbox-plugin";

/** White space that is not one single space: `\s` would match more than ASCII. */
const TO_ONE_SPACE = /[\t\n\r\v\f][ \t\n\r\v\f]*| [ \t\n\r\v\f]+/g;

interface Configuration {
  "min-length": number;
}

/** Tidies white space, and drops what is too short then. */
export default definePlugin({
  schema: {
    type: "object",
    properties: {
      "min-length": {
        type: "integer",
        minimum: 0,
        default: 1,
        description: "Records whose first field is shorter, in characters, are dropped",
      },
    },
    additionalProperties: false,
  },

  cleaner: ({ "min-length": minLength }: Configuration) => ({
    clean(row) {
      const values = row.values.map((value) => value && tidied(value));
      const first = values[0];
      if (first == null || isShorter(first, minLength)) return drop("too-short");
      return values.every((value, i) => value === row.values[i]) ? keep : replace(values);
    },
  }),
});

function tidied(text: string): string {
  const spaced = text.replace(TO_ONE_SPACE, " ");
  return spaced.slice(spaced.startsWith(" ") ? 1 : 0, spaced.length > 1 && spaced.endsWith(" ") ? -1 : undefined);
}

/** Whether `text` has fewer characters than `length`. A string's own length counts some characters twice. */
function isShorter(text: string, length: number): boolean {
  return text.length < length || (text.length < 2 * length && [...text].length < length);
}
