import { dirname, join } from "node:path";
import { isObject, type JsonObject, type JsonValue, objectAt, readJsonText, stringAt } from "./json-text.js";
import type { ProjectFiles } from "./project-files.js";
import type { Parser } from "./syntax.js";

/** A package of the project itself. */
export interface OwnPackage {
  /** Absolute. */
  readonly folder: string;
  readonly manifest: JsonObject;
}

/** Reads the `package.json` of the project's packages. */
export class PackageManifests {
  readonly #parser: Parser;
  readonly #files: ProjectFiles;
  readonly #known = new Map<string, OwnPackage | undefined>();
  readonly #byName = new Map<string, OwnPackage>();

  constructor(parser: Parser, files: ProjectFiles, manifests: readonly string[]) {
    this.#parser = parser;
    this.#files = files;
    for (const path of [...manifests].sort()) {
      const found = this.#in(dirname(path));
      const name = stringAt(found?.manifest, "name");
      if (found !== undefined && name !== undefined && !this.#byName.has(name)) this.#byName.set(name, found);
    }
  }

  /** The package that a folder belongs to. */
  around(folder: string): OwnPackage | undefined {
    const own = this.#in(folder);
    if (own !== undefined) return own;
    const parent = dirname(folder);
    return parent === folder ? undefined : this.around(parent);
  }

  /** A package by its name: one of the project, or one that an installed link leads to. */
  named(name: string, from: string): OwnPackage | undefined {
    const own = this.#byName.get(name);
    if (own !== undefined) return own;
    for (let folder = from; ; folder = dirname(folder)) {
      const link = join(folder, "node_modules", name);
      if (this.#files.isFolder(link)) {
        const real = this.#files.real(link);
        // A link out of `node_modules` is a workspace; what stays inside was installed, and is not the project's.
        return real === undefined || /[\\/]node_modules[\\/]/.test(real) ? undefined : this.#in(real);
      }
      if (dirname(folder) === folder) return undefined;
    }
  }

  #in(folder: string): OwnPackage | undefined {
    if (this.#known.has(folder)) return this.#known.get(folder);
    const path = join(folder, "package.json");
    const text = this.#files.isFile(path) ? this.#files.read(path) : undefined;
    const manifest = text === undefined ? undefined : readJsonText(this.#parser, text);
    const found = manifest === undefined ? undefined : { folder, manifest };
    this.#known.set(folder, found);
    return found;
  }
}

/** The package that a dependency's name is another name of, with npm's `npm:name@version`. */
export function dependencyAlias(manifest: JsonObject, name: string): string | undefined {
  for (const key of ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"]) {
    const version = stringAt(objectAt(manifest, key), name);
    const found = version === undefined ? null : /^npm:((?:@[^/@]+\/)?[^/@]+)/.exec(version);
    if (found?.[1] !== undefined) return found[1];
  }
  return undefined;
}

/** Conditions in the order in which they lead to sources. */
const CONDITIONS = ["source", "development", "import", "module", "node", "default", "require", "types"];

/**
 * What a subpath of `exports` or `imports` leads to, by every condition, those likely to be sources first.
 *
 * @param key `.`, `./name` or `#name`
 */
export function mappedTargets(map: JsonValue, key: string): readonly string[] {
  if (typeof map === "string" || Array.isArray(map)) return key === "." ? leaves(map) : [];
  if (!isObject(map)) return [];
  const keys = [...map.keys()];
  if (!keys.some((it) => it.startsWith(".") || it.startsWith("#"))) return key === "." ? leaves(map) : [];
  if (map.has(key)) return leaves(map.get(key) ?? null);
  const patterns = keys.filter((it) => it.includes("*") && starOf(it, key) !== undefined);
  const [best] = patterns.sort((a, b) => b.indexOf("*") - a.indexOf("*"));
  if (best === undefined) return [];
  const star = starOf(best, key) ?? "";
  return leaves(map.get(best) ?? null).map((target) => target.replaceAll("*", star));
}

/** What the `*` of a pattern stands for in a text that matches it. */
export function starOf(pattern: string, text: string): string | undefined {
  const at = pattern.indexOf("*");
  if (at < 0) return pattern === text ? "" : undefined;
  const [before, after] = [pattern.slice(0, at), pattern.slice(at + 1)];
  const fits = text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
  return fits ? text.slice(before.length, text.length - after.length) : undefined;
}

function leaves(value: JsonValue): readonly string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(leaves);
  if (!isObject(value)) return [];
  const rank = (key: string) => (CONDITIONS.includes(key) ? CONDITIONS.indexOf(key) : CONDITIONS.length);
  return [...value].sort(([a], [b]) => rank(a) - rank(b)).flatMap(([, inner]) => leaves(inner));
}
