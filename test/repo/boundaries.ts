import { posix } from "node:path";
import { importsOf } from "./imports.js";

/** The packages in the order in which they may see each other: each only those before it. */
export const PACKAGE_ORDER = ["d2-core", "d2-policy", "d2-sdk", "d2-server", "d2-cli"] as const;

export interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, unknown>>;
}

export interface Module {
  /** Name of the package that it belongs to. */
  readonly owner: string;
  /** Relative to the package's `src`, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** What may be imported besides relative modules and the packages before. `core` and `policy` are closed lists. */
const OUTSIDE: Readonly<Record<string, (specifier: string, path: string) => boolean>> = {
  "d2-core": (specifier, path) => {
    if (path === "platform/node.ts") return specifier === "node:util";
    if (path === "platform/node-sha256.ts") return specifier === "node:crypto";
    if (path === "platform/web-sha256.ts") return specifier.startsWith("@noble/hashes/");
    return specifier === "re2js" || specifier === "#platform" || specifier === "#platform/sha256";
  },
  "d2-policy": (specifier) => specifier === "yaml",
  "d2-sdk": () => true,
  "d2-server": (specifier) => specifier !== "d2-sdk",
  "d2-cli": () => true,
};

/**
 * The imports of a module that break a rule. One line a finding.
 *
 * @param modules Every module, to tell whether a relative import leads anywhere.
 * @param manifests By package name.
 */
export function importFaults(
  module: Module,
  modules: readonly Module[],
  manifests: ReadonlyMap<string, Manifest>,
): readonly string[] {
  return importsOf(module.path, module.text).flatMap(({ specifier, line }) => {
    const fault =
      specifier === undefined ? "computed" : specifierFault(specifier, module, modules, manifests);
    const name = specifier === undefined ? "an import" : `\`${specifier}\``;
    return fault === undefined ? [] : [`${module.owner} ${module.path}:${line} ${name}: ${fault}`];
  });
}

function specifierFault(
  specifier: string,
  module: Module,
  modules: readonly Module[],
  manifests: ReadonlyMap<string, Manifest>,
): string | undefined {
  if (specifier.startsWith(".")) return relativeFault(specifier, module, modules);
  const name = specifier.match(/^(@[^/]+\/)?[^/]+/)?.[0] ?? specifier;
  const own = manifests.get(module.owner);
  const listed = { ...own?.dependencies, ...own?.peerDependencies };
  if (name.startsWith("d2-")) {
    const order: readonly string[] = PACKAGE_ORDER;
    const [from, to] = [order.indexOf(module.owner), order.indexOf(name)];
    if (to < 0 || to >= from) return `not an arrow of ${PACKAGE_ORDER.join(" <- ")}`;
    const exported = manifests.get(name)?.exports ?? {};
    if (!Object.hasOwn(exported, `.${specifier.slice(name.length)}`)) return "not an entry point";
    return Object.hasOwn(listed, name) ? undefined : "not among the dependencies";
  }
  if (OUTSIDE[module.owner]?.(specifier, module.path) !== true) return `not for ${module.owner}`;
  if (specifier.startsWith("node:") || specifier.startsWith("#")) return undefined;
  return Object.hasOwn(listed, name) ? undefined : "not among the dependencies";
}

function relativeFault(specifier: string, module: Module, modules: readonly Module[]): string | undefined {
  if (!specifier.endsWith(".js")) return "does not end in `.js`";
  const target = targetOf(specifier, module.path);
  if (target.startsWith("../")) return "leaves the package's `src`";
  const exists = modules.some(({ owner, path }) => owner === module.owner && path === target);
  return exists ? undefined : "leads nowhere";
}

const targetOf = (specifier: string, from: string) =>
  posix.join(posix.dirname(from), specifier).replace(/\.js$/, ".ts");

/**
 * The circles in the imports of one package, types included: two modules that need each other's types cannot be
 * understood one after the other either. Each circle is a chain of paths that ends where it starts.
 */
export function importCycles(modules: readonly Module[]): readonly string[] {
  const graph = new Map(
    modules.map(({ path, text }) => [
      path,
      importsOf(path, text).flatMap(({ specifier }) =>
        specifier?.startsWith(".") ? [targetOf(specifier, path)] : [],
      ),
    ]),
  );
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, chain: readonly string[]): void => {
    const start = chain.indexOf(path);
    if (start >= 0) circles.push([...chain.slice(start), path].join(" -> "));
    if (start >= 0 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...chain, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return circles;
}
