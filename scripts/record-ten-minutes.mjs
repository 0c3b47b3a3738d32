// Writes docs/ten-minutes.md: the way of somebody who has never seen d2 from an app without a policy to one that is
// tested and shipped. Every command in it is run, and what it prints is what stands there. The packages must be built.
//
//   node scripts/record-ten-minutes.mjs            writes the page
//   node scripts/record-ten-minutes.mjs --check    fails when it differs from what is committed
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./entry-points.mjs";

const page = join(root, "docs", "ten-minutes.md");
const example = join(root, "examples", "ten-minutes");

/**
 * What is said, what is done without being shown, and the commands that are run and shown.
 *
 * @type {readonly { words: string, put?: readonly (readonly [from: string, to: string])[], run: readonly string[] }[]}
 */
const STEPS = [
  {
    words:
      "An assistant for a shop, as it was before: its functions are guarded by their tool ids ([tools.ts](../examples/ten-minutes/tools.ts)), and there is no policy yet.",
    run: ["ls", "grep -n d2Guard tools.ts"],
  },
  {
    words: "**Minute 1.** `d2 init` reads the code and writes a first policy.",
    run: ["d2 init --output policy.yaml", "cat policy.yaml"],
  },
  {
    words:
      "**Minute 2.** What is not given is denied. The app's users have the roles `support` and `assistant`, which the first policy does not know.",
    run: ["node dist/main.js policy.yaml"],
  },
  {
    words:
      "**Minutes 3 to 6.** Write your own in an editor that knows the schema, which the first line names. A slip is found with its place:",
    put: [["policy.slip.yaml", "policy.yaml"]],
    run: ["d2 diagnose"],
  },
  {
    words: "With the slip mended:",
    put: [["policy.yaml", "policy.yaml"]],
    run: ["d2 diagnose", "d2 inspect", "d2 inspect --matrix"],
  },
  {
    words: "**Minute 7.** Why is a call denied, and what would have to be otherwise?",
    run: [
      'd2 explain --user bot --roles assistant --tool mail.send --args \'{"to": "all@shop.example"}\' --history orders.search',
    ],
  },
  {
    words:
      "**Minute 8.** Expectations become [tests](../examples/ten-minutes/policy.test.yaml) beside the policy (how they are written: [testing.md](testing.md)).",
    put: [["policy.test.yaml", "policy.test.yaml"]],
    run: ["d2 test --coverage"],
  },
  {
    words:
      "**Minute 9.** Tests try some calls; a proof covers all there can be. Can the assistant ever mail after it has read a single order? After it has searched? Where it can, the shortest way is shown, and the guard itself has gone it.",
    run: [
      "d2 analyze --role assistant --from orders.read --to mail.send",
      "d2 analyze --role assistant --from orders.search --to mail.send",
    ],
  },
  {
    words: "The app under the policy:",
    run: ["node dist/main.js policy.yaml"],
  },
  {
    words:
      "**Minute 10.** Ship it: these commands in the build, and no change of the policy loosens anything unseen. Here is what the next change would mean:",
    put: [["policy.next.yaml", "policy.next.yaml"]],
    run: [
      "d2 diagnose --strict > /dev/null && d2 test > /dev/null && echo fine",
      "d2 diff policy.yaml policy.next.yaml --fail-on loosened",
    ],
  },
];

const HEAD = `# From an app without a policy to one that ships, in ten minutes

A recording: \`node scripts/record-ten-minutes.mjs\` runs every command below, and this page is what it printed. The app and the
policies are in [examples/ten-minutes](../examples/ten-minutes/main.ts). Install the command with
\`npm install --save-dev d2-cli\`; all there is to it: [cli.md](cli.md).
`;

/** @returns {string} */
export function record() {
  const folder = mkdtempSync(join(tmpdir(), "d2-ten-minutes-"));
  try {
    const app = join(folder, "shop");
    mkdirSync(join(app, "dist"), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    // As `npm install` would link it. In this workspace that happens before the command is built, so it is not there.
    mkdirSync(join(folder, "bin"));
    const program = join(root, "packages", "cli", "lib", "d2.js");
    writeFileSync(join(folder, "bin", "d2"), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`, {
      mode: 0o755,
    });
    writeFileSync(
      join(app, "package.json"),
      `${JSON.stringify({ name: "shop", private: true, type: "module" })}\n`,
    );
    for (const name of ["main", "tools"]) {
      cpSync(join(example, `${name}.ts`), join(app, `${name}.ts`));
      cpSync(join(example, `${name}.js`), join(app, "dist", `${name}.js`));
    }
    const parts = STEPS.map(({ words, put = [], run }) => {
      for (const [from, to] of put) writeFileSync(join(app, to), read(from));
      return [
        `${words}\n`,
        "```console",
        ...run.flatMap((command) => show(command, app, folder)),
        "```\n",
      ].join("\n");
    });
    return [HEAD, ...parts].join("\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} name
 * @returns {string}
 */
function read(name) {
  // The slip that the recording shows: a word of JSON Schema in place of the operator.
  if (name === "policy.slip.yaml")
    return read("policy.yaml").replace(
      "{ required: true, min: 1, max: 100 }",
      "{ required: true, minimum: 1, max: 100 }",
    );
  return readFileSync(join(example, name), "utf8");
}

/**
 * @param {string} command
 * @param {string} app
 * @param {string} folder
 */
function show(command, app, folder) {
  const { NO_COLOR: _no, FORCE_COLOR: _force, D2_POLICY_FILE: _file, ...inherited } = process.env;
  const { status, stdout, stderr } = spawnSync("sh", ["-c", `${command} 2>&1`], {
    cwd: app,
    encoding: "utf8",
    env: {
      ...inherited,
      XDG_CONFIG_HOME: join(folder, "config"),
      D2_SILENT: "1",
      PATH: [join(folder, "bin"), process.env["PATH"]].join(delimiter),
    },
  });
  if (status === null || status > 1)
    throw new Error(`\`${command}\` ended with ${status}\n${stdout}${stderr}`);
  const printed = stdout.trimEnd();
  return [
    `$ ${command}`,
    ...(printed === "" ? [] : [printed]),
    ...(status === 0 ? [] : [`(exit code ${status})`]),
    "",
  ];
}

function main() {
  const recorded = record();
  if (!process.argv.includes("--check")) return writeFileSync(page, recorded);
  if (readFileSync(page, "utf8") === recorded) return;
  console.error(
    "docs/ten-minutes.md is not what the commands print: run `node scripts/record-ten-minutes.mjs`",
  );
  process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
