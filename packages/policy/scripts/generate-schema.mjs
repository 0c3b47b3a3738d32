// Writes schema/policy.schema.json from the built package: `npm run build && node packages/policy/scripts/generate-schema.mjs`.
import { writeFileSync } from "node:fs";
import { policyJsonSchema } from "d2-policy";

const target = new URL("../schema/policy.schema.json", import.meta.url);
writeFileSync(target, `${JSON.stringify(policyJsonSchema(), null, 2)}\n`);
