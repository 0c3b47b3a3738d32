import { readFile } from "node:fs/promises";
import { relative, resolve, sep } from "node:path";
import type { DynamicTool, FoundCode, FoundTool } from "d2-policy/diagnose";
import { CompilerSettingsReader } from "./compiler-settings.js";
import { type GuardSite, guardSites } from "./guard-sites.js";
import { Interpreter } from "./interpreter.js";
import { ModuleStore, type UnreadableSource } from "./module-store.js";
import { PackageManifests } from "./package-manifests.js";
import { argumentsOf } from "./parameters.js";
import { ProjectFiles } from "./project-files.js";
import { glance, relevantFiles, type SourceGlance } from "./relevant-files.js";
import { ModuleResolver } from "./resolve-module.js";
import { findSourceFiles, MAX_FILE_BYTES } from "./source-files.js";
import { placeOf } from "./syntax.js";

/** Source files after which a scan stops when no other limit is given. */
export const DEFAULT_MAX_FILES = 50_000;

export interface ScanOptions {
  /** Source files after which the scan stops, which is then reported. Default 50,000. */
  readonly maxFiles?: number | undefined;
  /** Told how many files were looked at so far. */
  readonly onProgress?: ((count: number) => void) | undefined;
}

/** A tool that the program asks about with `check`. */
export interface CheckedTool {
  readonly tool: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What a scan has found. Every list is in the order of file, line and column; files are relative to the root, with `/`. */
export interface ScannedProject extends FoundCode {
  /** Tools that are asked about with `check(id)`; that alone guards nothing. */
  readonly checked: readonly CheckedTool[];
  /** What was not read, or not wholly, and why. */
  readonly unreadable: readonly UnreadableSource[];
}

/**
 * Searches a project's TypeScript and JavaScript for guarded tools. Nothing is run. Installed packages, built output,
 * tests, hidden folders and what `.gitignore` leaves out are left out.
 *
 * @param root the project's folder
 * @throws {Error} the system's own, when the folder is not there or cannot be read
 */
export async function scanProject(root: string, options: ScanOptions = {}): Promise<ScannedProject> {
  const home = resolve(root);
  const parser = await import("oxc-parser");
  const files = new ProjectFiles();
  const settings = new CompilerSettingsReader(parser, files);
  const outputs = (folder: string) => settings.of(folder).flatMap(({ outDir }) => outDir ?? []);
  const found = await findSourceFiles(home, options.maxFiles ?? DEFAULT_MAX_FILES, outputs);
  const shown = (file: string) => relative(home, file).split(sep).join("/");
  const unreadable = [
    ...found.large.map((file) => unread(shown(file), `is larger than ${MAX_FILE_BYTES / 1_000_000} MB`)),
    ...found.closed.map((file) => unread(shown(file), "is a folder that cannot be read")),
    ...(found.cut
      ? [unread(".", `has more than ${found.sources.length} source files; the rest was not read`)]
      : []),
  ];

  const glances: SourceGlance[] = [];
  for (const [index, file] of found.sources.entries()) {
    try {
      glances.push(glance(file, await readFile(file, "utf8")));
    } catch {
      unreadable.push(unread(shown(file), "cannot be read"));
    }
    options.onProgress?.(index + 1);
  }
  const resolver = new ModuleResolver(files, settings, new PackageManifests(parser, files, found.manifests));
  const store = new ModuleStore(parser, files);
  const load = (file: string) => store.load(file);
  const resolveFrom = (specifier: string, from: string) => resolver.resolve(specifier, from);
  const interpreter = new Interpreter({ load, resolve: resolveFrom });
  const relevant = relevantFiles(glances, { files, resolver, interpreter, load });
  const modules = glances.flatMap(({ file }) => (relevant.has(file) ? (store.load(file) ?? []) : []));
  for (const { file } of glances) {
    const fault = store.faultOf(file);
    if (fault !== undefined) unreadable.push({ file: shown(file), ...fault });
  }
  const sites = guardSites(interpreter, modules);
  const placed = sites.map((site) => ({
    site,
    at: { file: shown(site.module.file), ...placeOf(site.module.text, site.node.start) },
  }));
  const guards = placed.filter(({ site }) => site.of !== "check");
  return {
    tools: guards.flatMap(({ site, at }) => foundTool(interpreter, site, at)).sort(byPlace),
    dynamic: guards
      .flatMap(({ site, at }) => (site.tool === undefined ? [dynamicTool(site, at)] : []))
      .sort(byPlace),
    scanned: found.sources.length,
    checked: placed
      .flatMap(({ site: { of, tool }, at }) =>
        of === "check" && tool !== undefined ? [{ tool, ...at }] : [],
      )
      .sort(byPlace),
    unreadable: unreadable.sort(byPlace),
  };
}

interface At {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

function unread(file: string, message: string): UnreadableSource {
  return { file, line: 1, column: 1, message };
}

function foundTool(interpreter: Interpreter, site: GuardSite, at: At): readonly FoundTool[] {
  if (site.tool === undefined) return [];
  const [guarded, ...others] = site.functions;
  // Different functions under one id agree on nothing that could be told.
  const one = others.every(({ node }) => node === guarded?.node) ? guarded : undefined;
  const { params, argument, closed } = argumentsOf(interpreter, site.options, one);
  return [{ tool: site.tool, ...at, kind: kindOf(site, one !== undefined), params, argument, closed }];
}

function kindOf({ of, method, functions }: GuardSite, known: boolean): FoundTool["kind"] {
  if (of === "worker") return "worker";
  if (!known) return "unknown";
  if (functions.some(({ node }) => node.generator)) return "generator";
  return method ? "method" : "function";
}

/** Characters of an expression that are shown. */
const SHOWN = 80;

function dynamicTool({ module, written, node }: GuardSite, at: At): DynamicTool {
  const { start, end } = written ?? node;
  const text = module.text.slice(start, end).replace(/\s+/g, " ");
  return { ...at, text: text.length > SHOWN ? `${text.slice(0, SHOWN - 1)}…` : text };
}

function byPlace(a: At, b: At): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
