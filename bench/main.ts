// Measures everything beside its peers: five fresh processes a case, medians over them, ratios taken inside each. Prints the
// table and writes it to RESULTS.md. With names of cases, or of groups such as `cloud`: only those, and RESULTS.md stays.
import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { type Figure, show } from "./figure.js";
import { median } from "./timing.js";

const RUNS = Number(process.env["D2_BENCH_RUNS"] ?? 5);
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What Node needs for a case. */
const FLAGS: Readonly<Record<string, readonly string[]>> = { peers: ["--no-turbo-inline-js-wasm-calls"] };

function run(name: string): Figure[] {
  const flags = FLAGS[name] ?? [];
  const text = execFileSync(process.execPath, [...flags, here("run-case.js"), name], {
    cwd: here("."),
    encoding: "utf8",
    env: { ...process.env, D2_SILENT: "1" },
  });
  // The line that `run-case` prints.
  return JSON.parse(text.trim().split("\n").at(-1) ?? "[]") as Figure[];
}

function row({ what, unit, value, atMost, atLeast }: Figure): string {
  const [goal, met] =
    atMost !== undefined
      ? [`at most ${show(atMost, unit)}`, value <= atMost ? "yes" : "**no**"]
      : atLeast !== undefined
        ? [`at least ${show(atLeast, unit)}`, value >= atLeast ? "yes" : "**no**"]
        : ["", ""];
  return `| ${what} | ${goal} | ${show(value, unit)} | ${met} |`;
}

function measure(name: string): string {
  const runs = Array.from({ length: RUNS }, () => run(name));
  const figures = (runs[0] ?? []).map((figure, index) => ({
    ...figure,
    value: median(runs.map((figures) => figures[index]?.value ?? Number.NaN)),
  }));
  return [
    `## ${name}`,
    "",
    "| what | goal | measured | met |",
    "| --- | --- | --- | --- |",
    ...figures.map(row),
    "",
  ].join("\n");
}

const all = readdirSync(here("cases"))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -3))
  .sort();
const asked = process.argv.slice(2);
const isAsked = (name: string): boolean =>
  asked.length === 0 || asked.some((it) => name === it || name.startsWith(`${it}-`));
const unknown = asked.find((it) => !all.some((name) => name === it || name.startsWith(`${it}-`)));
if (unknown !== undefined) throw new Error(`there is no case \`${unknown}\`: known are ${all.join(", ")}`);
const sections: string[] = [];
for (const name of all.filter(isAsked)) {
  const section = measure(name);
  sections.push(section);
  console.log(section);
}
if (asked.length === 0) {
  const [cpu] = cpus();
  const date = new Date().toISOString().slice(0, 10);
  const head = [
    "# Results",
    "",
    `Made by \`npm run bench\` on ${date}: Node ${process.version}, ${cpus().length} cores, ${cpu?.model ?? "unknown processor"}.`,
    `Medians of ${RUNS} fresh processes a case; a ratio is taken inside each. Rows without a goal are there to compare with.`,
    "Inside a process loops take turns, and each counts with what a quarter of its batches stayed below.",
    "",
  ];
  writeFileSync(here("RESULTS.md"), `${[...head, ...sections].join("\n").trimEnd()}\n`);
}
