// Writes the tables of docs/policy.md that are made from the code: what stands between `<!-- table: NAME -->` and
// `<!-- /table -->`, for the names `operators`, `actions` and `types`. The packages must be built.
//
//   node scripts/generate-docs.mjs            writes the tables
//   node scripts/generate-docs.mjs --check    fails when one differs from what is committed
import { readFileSync, writeFileSync } from "node:fs";
import { OPERATORS, TYPE_NAMES } from "d2-core";
import { policyJsonSchema } from "d2-policy";

const page = new URL("../docs/policy.md", import.meta.url);

/** When an operator of a rule with an action fires, by its group. */
const FIRES = {
  is: "the value is what it names",
  constraint: "the constraint is broken",
  presence: "the value is null, or for `deny` absent",
};

/** @param {readonly string[]} cells */
const row = (cells) =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
const table = (head, rows) => [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");

function operators() {
  return table(
    ["operator", "holds when", "on a value of another kind", "with an action, fires when"],
    [...OPERATORS.values()].map(({ name, summary, otherKinds, group }) => [
      `\`${name}\``,
      summary,
      otherKinds,
      FIRES[group],
    ]),
  );
}

function actions() {
  const { enum: names, enumDescriptions } = policyJsonSchema().definitions.outputRule.properties.action;
  return table(
    ["action", "does"],
    names.map((name, index) => [`\`${name}\``, enumDescriptions[index]]),
  );
}

const types = () => TYPE_NAMES.map((name) => `\`${name}\``).join(", ");

const tables = { operators, actions, types };
const written = readFileSync(page, "utf8");
const generated = written.replace(
  /(<!-- table: (\w+) -->\n)[\s\S]*?(<!-- \/table -->)/g,
  (_whole, begin, name, end) => {
    if (!Object.hasOwn(tables, name))
      throw new Error(`docs/policy.md asks for a table \`${name}\`, which there is not`);
    return `${begin}${tables[name]()}\n${end}`;
  },
);
if (generated === written) process.exit(0);
if (process.argv.includes("--check")) {
  console.error(
    "the tables of docs/policy.md are not those of the code: run `node scripts/generate-docs.mjs`",
  );
  process.exit(1);
}
writeFileSync(page, generated);
