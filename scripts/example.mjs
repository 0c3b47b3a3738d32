// Runs one of the programs in examples/ by its name: `npm run example -- guardrails`. Without a name, lists them.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./entry-points.mjs";

/**
 * The programs: every folder of examples/ with a `main.ts`.
 *
 * @returns {{ name: string, program: string }[]} `program` is the compiled file, absolute.
 */
export function examples() {
  const home = join(root, "examples");
  return readdirSync(home)
    .filter((name) => existsSync(join(home, name, "main.ts")))
    .map((name) => ({ name, program: join(home, name, "main.js") }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [wanted, ...args] = process.argv.slice(2);
  const found = examples().find(({ name }) => name === wanted);
  if (found === undefined) {
    console.error(`usage: npm run example -- NAME, where NAME is one of\n`);
    for (const { name } of examples()) console.error(`  ${name}`);
    process.exitCode = 2;
  } else {
    process.exitCode =
      spawnSync(process.execPath, [found.program, ...args], { stdio: "inherit" }).status ?? 1;
  }
}
