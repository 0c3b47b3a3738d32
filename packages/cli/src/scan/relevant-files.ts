import type { Node } from "oxc-parser";
import { type Interpreting, leadsToGuard, type Meaning } from "./meaning.js";
import type { ProjectFiles } from "./project-files.js";
import { type ModuleResolver, SDK } from "./resolve-module.js";
import type { SourceModule } from "./source-module.js";
import { bare } from "./syntax.js";

const IMPORTED =
  /\b(?:from|import|require)\b(?:\s|\(|\/\*[\s\S]*?\*\/|\/\/[^\n]*\n)*(?:"([^"\n]+)"|'([^'\n]+)'|`([^`\n$]+)`)/g;

/** What a text seems to import: told without parsing, so that most files never need to be parsed. */
export function importsOfText(text: string): readonly string[] {
  const found = new Set<string>();
  for (const [, double, single, template] of text.matchAll(IMPORTED)) {
    const specifier = double ?? single ?? template;
    if (specifier !== undefined) found.add(specifier);
  }
  return [...found];
}

/** What a file's text says before it is parsed. */
export interface SourceGlance {
  readonly file: string;
  readonly imports: readonly string[];
  readonly namesSdk: boolean;
}

export function glance(file: string, text: string): SourceGlance {
  return { file, imports: importsOfText(text), namesSdk: text.includes(SDK) };
}

/** What is needed to tell how far the guard is handed on. */
export interface Reach {
  readonly files: ProjectFiles;
  readonly resolver: ModuleResolver;
  readonly interpreter: Interpreting;
  load(file: string): SourceModule | undefined;
}

/**
 * The files that may call the guard: those that import its package, and those that import a file which hands it on.
 * Only these are parsed.
 */
export function relevantFiles(glances: readonly SourceGlance[], reach: Reach): ReadonlySet<string> {
  const { all, importers, start } = importGraph(glances, reach);
  const relevant = new Set<string>();
  const handing = new Set<string>();
  const queue = [...start];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    relevant.add(file);
    const module = handing.has(file) ? undefined : reach.load(file);
    if (module === undefined) continue;
    const leads = (source: string): boolean => {
      const resolved = reach.resolver.resolve(source, module.file);
      return resolved?.is === "sdk" || (resolved?.is === "file" && handing.has(resolved.file));
    };
    if (!handsOn(module, all.get(file) ?? [], leads, reach.interpreter)) continue;
    handing.add(file);
    queue.push(...(importers.get(file) ?? []));
  }
  return relevant;
}

function importGraph(glances: readonly SourceGlance[], { files, resolver }: Reach) {
  const importers = new Map<string, string[]>();
  const start = new Set<string>();
  const all = new Map(glances.map(({ file, imports }) => [file, imports]));
  const queue = [...glances];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (next.namesSdk) start.add(next.file);
    for (const specifier of next.imports) {
      const resolved = resolver.resolve(specifier, next.file);
      if (resolved?.is === "sdk") start.add(next.file);
      if (resolved?.is !== "file") continue;
      const known = importers.get(resolved.file);
      if (known === undefined) importers.set(resolved.file, [next.file]);
      else known.push(next.file);
      if (all.has(resolved.file)) continue;
      // Not among the files to scan, but a guard may come through it.
      const seen = glance(resolved.file, files.read(resolved.file) ?? "");
      all.set(seen.file, seen.imports);
      queue.push(seen);
    }
  }
  return { all, importers, start };
}

/** Whether others may get the guard, or what it gave, from a module. Rather too often than too seldom. */
function handsOn(
  module: SourceModule,
  imports: readonly string[],
  leads: (source: string) => boolean,
  interpreter: Interpreting,
): boolean {
  const passed = [...module.exports.values()].flatMap((it) => (it.is === "from" ? [it.source] : []));
  if ([...passed, ...module.stars].some(leads)) return true;
  const fixed = new Set([...passed, ...module.stars]);
  const place = { module, scope: module.top };
  for (const [name, facts] of module.top.facts) {
    for (const fact of facts) {
      if (fact.is !== "import") continue;
      fixed.add(fact.source);
      if (module.mentions.has(name) && leads(fact.source) && mayHold(interpreter.named(name, place)))
        return true;
    }
  }
  // Loaded while the program runs: what becomes of that is too much to follow here.
  if (imports.some((source) => !fixed.has(source) && leads(source))) return true;
  const used = new Set<Node>([
    ...module.calls.map(({ node }) => bare(node.callee)),
    ...module.decorated.map(({ decorator }) => bare(decorator.expression)),
  ]);
  return module.calls.some(
    ({ node, scope }) => !used.has(node) && leadsToGuard(interpreter.meaningOf(node, { module, scope })),
  );
}

/** Whether the guard may be in it. */
function mayHold({ is }: Meaning): boolean {
  return is !== "text" && is !== "enum" && is !== "unknown";
}
