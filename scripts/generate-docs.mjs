// Writes the parts of the pages that are made from the code: what stands between `<!-- table: NAME -->` and
// `<!-- /table -->`, for the names `operators`, `actions`, `globals` and `types` in docs/policy.md, and `commands` in
// docs/cli.md. The packages must be built.
//
//   node scripts/generate-docs.mjs            writes the tables
//   node scripts/generate-docs.mjs --check    fails when one differs from what is committed
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { COMMANDS, COMMON_OPTIONS } from "d2-cli";
import { OPERATORS, TYPE_NAMES } from "d2-core";
import { policyJsonSchema } from "d2-policy";

const PAGES = ["docs/policy.md", "docs/cli.md"];

/** When an operator of a rule with an action fires, by its group. */
const FIRES = {
  is: "the value is what it names",
  constraint: "the constraint is broken",
  presence: "the value is null, or for `deny` absent",
};

/**
 * The parts of the policy's JSON Schema that tables are made of.
 *
 * @typedef {object} OutputDefinitions
 * @property {{ properties: { action: { enum: string[], enumDescriptions: string[] } } }} outputRule
 * @property {{ properties: Record<string, { description: string }> }} output
 */
const { definitions } = /** @type {{ definitions: OutputDefinitions }} */ (policyJsonSchema());

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
    ["operator", "means", "on a value of another kind", "with an action, fires when"],
    [...OPERATORS.values()].map(({ name, summary, otherKinds, group }) => [
      `\`${name}\``,
      summary,
      otherKinds,
      FIRES[group],
    ]),
  );
}

function actions() {
  const { enum: names, enumDescriptions } = definitions.outputRule.properties.action;
  return table(
    ["action", "does"],
    names.map((name, index) => [`\`${name}\``, enumDescriptions[index] ?? ""]),
  );
}

/** Rules for the whole output; their texts are those that editors show. */
function globals() {
  return table(
    ["rule", "means"],
    Object.entries(definitions.output.properties).map(([name, { description }]) => [
      `\`${name}\``,
      description,
    ]),
  );
}

const types = () => TYPE_NAMES.map((name) => `\`${name}\``).join(", ");

/** Every command with its arguments, options and examples. */
function commands() {
  return COMMANDS.map(({ name, args, summary, details, options, examples }) => {
    const usage = ["d2", name, ...args.map((arg) => arg.name), "[options]"].join(" ");
    const rows = [...args.map(({ name: flags, words }) => ({ flags, words })), ...options, ...COMMON_OPTIONS];
    return [
      `### d2 ${name}`,
      `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.${details === undefined ? "" : ` ${details}`}`,
      `\`\`\`sh\n${usage}\n\`\`\``,
      table(
        ["", ""],
        rows.map((option) => {
          const choices = "choices" in option && option.choices ? ` (${option.choices.join(", ")})` : "";
          return [`\`${option.flags}\``, `${option.words}${choices}`];
        }),
      ),
      ["```sh", ...examples.map(({ line, words }) => `# ${words}\n${line}`), "```"].join("\n"),
    ].join("\n\n");
  }).join("\n\n");
}

/** @type {Record<string, () => string>} */
const tables = { operators, actions, globals, types, commands };

/**
 * The text of a page with its tables as the code has them.
 *
 * @param {string} text
 */
export function withTables(text) {
  return text.replace(/(<!-- table: (\w+) -->\n)[\s\S]*?(<!-- \/table -->)/g, (_whole, begin, name, end) => {
    const make = Object.hasOwn(tables, name) ? tables[name] : undefined;
    if (make === undefined) throw new Error(`a page asks for a table \`${name}\`, which there is not`);
    return `${begin}${make()}\n${end}`;
  });
}

function main() {
  for (const name of PAGES) {
    const page = new URL(`../${name}`, import.meta.url);
    const written = readFileSync(page, "utf8");
    const generated = withTables(written);
    if (generated === written) continue;
    if (process.argv.includes("--check")) {
      console.error(`the tables of ${name} are not those of the code: run \`npm run docs\``);
      process.exitCode = 1;
    } else writeFileSync(page, generated);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
