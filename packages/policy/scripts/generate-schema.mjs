// Writes the files of schema/ from the built package: `npm run build && node packages/policy/scripts/generate-schema.mjs`.
import { writeFileSync } from "node:fs";
import { policyJsonSchema } from "d2-policy";
import { policyTestsJsonSchema } from "d2-policy/testing";

for (const [name, schema] of [
  ["policy", policyJsonSchema()],
  ["tests", policyTestsJsonSchema()],
]) {
  const target = new URL(`../schema/${name}.schema.json`, import.meta.url);
  writeFileSync(target, `${JSON.stringify(schema, null, 2)}\n`);
}
