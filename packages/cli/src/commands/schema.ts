import type { Run } from "../command.js";
import { OK } from "../exit-code.js";

export const runSchema: Run = async ([of], options, terminal) => {
  const schema = of === "tests" ? await testsSchema() : (await import("d2-policy")).policyJsonSchema();
  if (options["json"] === true) terminal.printJson("schema", { of: of ?? "policy", schema });
  else terminal.print(`${JSON.stringify(schema, undefined, 2)}\n`);
  return OK;
};

async function testsSchema(): Promise<object> {
  return (await import("d2-policy/testing")).policyTestsJsonSchema();
}
