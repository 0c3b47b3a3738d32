import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { configHome } from "d2-sdk/files";
import { type Options, type Run, textOption } from "../command.js";
import { OK } from "../exit-code.js";
import { Progress } from "../progress.js";
import type { ScannedProject } from "../scan/scan-project.js";
import { starterPolicy } from "../starter/starter-policy.js";
import { writeStarter } from "../starter/write-starter.js";
import type { Terminal } from "../terminal.js";
import { UsageError } from "../usage-error.js";

export const runInit: Run = async (_args, options, terminal) => {
  const root = terminal.path(textOption(options, "path") ?? ".");
  const { path, format } = destination(options, terminal);
  const force = options["force"] === true;
  // Before the search, which may take a while; the writer makes sure again.
  if (!force && existsSync(path)) throw new UsageError(occupied(terminal.shown(path)));
  const found = await scan(root, terminal);
  const name = nameFor(root);
  const text = starterPolicy(found, { format, name, schema: schemaFor(path, root) });
  const { overwritten } = await writeStarter(path, text, { force });
  if (options["json"] === true) {
    terminal.printJson("init", { path: terminal.shown(path), overwritten, found });
  } else terminal.print(report(found, terminal.shown(path), overwritten, terminal));
  return OK;
};

async function scan(root: string, terminal: Terminal): Promise<ScannedProject> {
  const { scanProject } = await import("../scan/scan-project.js");
  const progress = new Progress(terminal);
  const found = await scanProject(root, { onProgress: (files) => progress.show(`read ${files} files`) });
  progress.done();
  return found;
}

function destination(options: Options, terminal: Terminal): { path: string; format: "yaml" | "json" } {
  const output = textOption(options, "output");
  const asked = textOption(options, "format");
  const named = output === undefined ? undefined : /\.json$/i.test(output) ? "json" : "yaml";
  if (asked !== undefined && named !== undefined && asked !== named) {
    throw new UsageError(
      `\`--format ${asked}\` does not go with the name \`${output}\`: leave it out, or name the file otherwise`,
    );
  }
  const format = (asked ?? named) === "json" ? "json" : "yaml";
  if (output !== undefined) return { path: terminal.path(output), format };
  const home = configHome(terminal.environment);
  if (home === undefined) {
    throw new UsageError(
      "you have no folder for configuration: say where the policy goes with `--output policy.yaml`",
    );
  }
  return { path: join(home, "d2", `policy.${format}`), format };
}

export function occupied(shown: string): string {
  return `\`${shown}\` is there already and was left as it is: choose another place with \`--output\`, or overwrite it with \`--force\``;
}

/** The name of the project, as far as a policy can bear it. */
function nameFor(root: string): string {
  const name = basename(resolve(root)).replaceAll(/[^A-Za-z0-9._-]+/g, "-");
  return name === "" ? "policy" : name;
}

/** How the policy names its JSON Schema: from the project's own packages where they are there, else this command's. */
function schemaFor(path: string, root: string): string {
  const file = join("node_modules", "d2-policy", "schema", "policy.schema.json");
  const folder = dirname(path);
  for (let place = resolve(root); ; place = dirname(place)) {
    const inside = relative(place, folder).split(/[\\/]/)[0] !== "..";
    if (inside && existsSync(join(place, file))) {
      const way = relative(folder, join(place, file)).split("\\").join("/");
      return way.startsWith(".") ? way : `./${way}`;
    }
    if (dirname(place) === place) break;
  }
  return createRequire(import.meta.url).resolve("d2-policy/policy.schema.json");
}

function report(found: ScannedProject, shown: string, overwritten: boolean, { marks }: Terminal): string {
  const ids = [...new Set(found.tools.map(({ tool }) => tool))].sort();
  const lines = [
    `read ${count(found.scanned, "file")}: ${count(ids.length, "guarded tool")}${ids.length === 0 ? "" : ":"}`,
  ];
  const width = Math.max(0, ...ids.map((id) => id.length));
  for (const id of ids) {
    const places = found.tools.filter(({ tool }) => tool === id).map(({ file, line }) => `${file}:${line}`);
    lines.push(`  ${marks.strong(id.padEnd(width))}  ${marks.faint(places.join(", "))}`);
  }
  if (found.dynamic.length > 0) {
    lines.push(
      marks.warn(
        `${count(found.dynamic.length, "guard")} whose tool id is worked out when the program runs:`,
      ),
    );
    for (const { file, line } of found.dynamic) lines.push(`  ${file}:${line}`);
  }
  for (const { file, line, message } of found.unreadable) {
    lines.push(marks.warn(`  not read, or not all of it: ${file}:${line} ${message}`));
  }
  lines.push(
    `${overwritten ? "overwrote" : "wrote"} ${marks.strong(shown)}`,
    "",
    "next: read it and make it yours, then",
    "  d2 diagnose   is it sound, and does it fit the code",
    "  d2 inspect    what it allows, in words",
    "  d2 test       hold it to what you expect, in a `policy.test.yaml` beside it",
  );
  return `${lines.join("\n")}\n`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
