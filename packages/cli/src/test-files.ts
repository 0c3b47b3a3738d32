import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type PolicyTests, readPolicyTests } from "d2-policy/testing";
import { type OpenPolicy, openPolicy } from "./policy-file.js";
import type { Terminal } from "./terminal.js";
import { UsageError } from "./usage-error.js";

/** Test files that go with one policy. */
export interface TestGroup {
  readonly open: OpenPolicy;
  readonly tests: readonly PolicyTests[];
}

/** Absolute paths of the test files that are meant, in a fixed order. */
export function findTestFiles(terminal: Terminal, named: readonly string[]): readonly string[] {
  const places = named.length === 0 ? [terminal.folder] : named.map((name) => terminal.path(name));
  const found = places.flatMap((place) => (isFolder(place, terminal) ? testFilesBelow(place) : [place]));
  if (found.length > 0) return [...new Set(found)];
  throw new UsageError(
    `there are no policy tests below \`${places.map((place) => terminal.shown(place)).join("`, `")}\`: write one as \`policy.test.yaml\` beside the policy (docs/testing.md shows how)`,
  );
}

/** Reads the test files, each with the policy that it is for: `--policy`, the one it names, or the one beside it. */
export async function readTestGroups(
  terminal: Terminal,
  files: readonly string[],
  policy: string | undefined,
): Promise<readonly TestGroup[]> {
  const groups = new Map<string, { open: OpenPolicy; tests: PolicyTests[] }>();
  for (const path of files) {
    const tests = readPolicyTests(readFileSync(path, "utf8"), {
      file: terminal.shown(path),
      format: path.endsWith(".json") ? "json" : "yaml",
    });
    const meant = policy ?? policyOf(path, tests, terminal);
    const group = groups.get(meant ?? "");
    if (group !== undefined) group.tests.push(tests);
    else groups.set(meant ?? "", { open: await openPolicy(terminal, meant), tests: [tests] });
  }
  return [...groups.values()];
}

/** Absent: the one that a guard in this folder would take. */
function policyOf(path: string, { policy }: PolicyTests, terminal: Terminal): string | undefined {
  const folder = dirname(path);
  if (policy !== undefined) {
    const named = join(folder, policy);
    if (existsSync(named)) return named;
    throw new UsageError(
      `\`${terminal.shown(path)}\` is for the policy \`${terminal.shown(named)}\`, which does not exist: mend its \`policy\`, or name one with \`--policy\``,
    );
  }
  return ["policy.yaml", "policy.yml", "policy.json"].map((name) => join(folder, name)).find(existsSync);
}

function isFolder(path: string, terminal: Terminal): boolean {
  const state = statSync(path, { throwIfNoEntry: false });
  if (state === undefined)
    throw new UsageError(`there is no \`${terminal.shown(path)}\`: name a file of policy tests, or a folder`);
  return state.isDirectory();
}

/** Files that are named like tests and are policy tests: other tests are written in YAML and JSON too. */
function testFilesBelow(folder: string): readonly string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return entry.name === "node_modules" || entry.name.startsWith(".") ? [] : testFilesBelow(path);
    }
    return /\.test\.(ya?ml|json)$/.test(entry.name) && /^\s*"?tests"?\s*:/m.test(readFileSync(path, "utf8"))
      ? [path]
      : [];
  });
}
