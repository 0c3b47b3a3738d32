import { dirname, join, relative, resolve, sep } from "node:path";
import type { CompilerSettingsReader, PathAlias } from "./compiler-settings.js";
import { stringAt } from "./json-text.js";
import {
  dependencyAlias,
  mappedTargets,
  type OwnPackage,
  type PackageManifests,
  starOf,
} from "./package-manifests.js";
import type { ProjectFiles } from "./project-files.js";

/** The package whose guard is looked for. */
export const SDK = "d2-sdk";

/** Where an import leads: to the guard's package, to a module of the project, or (`undefined`) elsewhere. */
export type Resolved = { readonly is: "sdk" } | { readonly is: "file"; readonly file: string } | undefined;

const SDK_FOUND: Resolved = { is: "sdk" };

/** Extensions by which a module may be found, sources with types first. */
const EXTENSIONS = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"];

/** What a written extension may be compiled from. */
const SOURCES_OF: Readonly<Record<string, readonly string[]>> = {
  ".js": [".ts", ".tsx", ".js", ".jsx"],
  ".jsx": [".tsx", ".jsx"],
  ".mjs": [".mts", ".mjs"],
  ".cjs": [".cts", ".cjs"],
};

/** Folders where builds are put, and those where their sources may be. */
const OUTPUT_FOLDER = /^(?:dist|build|out|lib|esm|cjs)(?:\/(?:esm|cjs|types|src))?\//;

/** Finds the module that an import means. */
export class ModuleResolver {
  readonly #files: ProjectFiles;
  readonly #settings: CompilerSettingsReader;
  readonly #packages: PackageManifests;
  readonly #known = new Map<string, Resolved>();

  constructor(files: ProjectFiles, settings: CompilerSettingsReader, packages: PackageManifests) {
    this.#files = files;
    this.#settings = settings;
    this.#packages = packages;
  }

  /** @param from the importing file, absolute */
  resolve(specifier: string, from: string): Resolved {
    const folder = dirname(from);
    const key = `${folder}\0${specifier}`;
    if (this.#known.has(key)) return this.#known.get(key);
    // For a circle of names, which leads nowhere.
    this.#known.set(key, undefined);
    const found = this.#find(specifier.replace(/[?].*$/, ""), folder);
    this.#known.set(key, found);
    return found;
  }

  #find(specifier: string, folder: string): Resolved {
    if (specifier === SDK) return SDK_FOUND;
    if (/^\.{1,2}(?:\/|$)/.test(specifier)) return this.#file(resolve(folder, specifier));
    if (specifier.startsWith("node:") || specifier.startsWith("/") || specifier === "") return undefined;
    return (
      this.#aliased(specifier, folder) ?? this.#inner(specifier, folder) ?? this.#package(specifier, folder)
    );
  }

  /** By `paths` and `baseUrl` of the compiler settings of this folder and those above. */
  #aliased(specifier: string, folder: string): Resolved {
    for (const settings of this.#settings.of(folder)) {
      const fitting = settings.aliases
        .filter(({ pattern }) => starOf(pattern, specifier) !== undefined)
        .sort((a, b) => prefixLength(b) - prefixLength(a));
      for (const { pattern, targets } of fitting) {
        const star = starOf(pattern, specifier) ?? "";
        for (const target of targets) {
          const path = target.replace("*", star);
          if (/[\\/]node_modules[\\/]d2-sdk(?:$|[\\/])/.test(path)) return SDK_FOUND;
          const found = this.#file(path) ?? this.#sourceOf(path, this.#packages.around(dirname(path)));
          if (found !== undefined) return found;
        }
      }
      const based =
        settings.baseUrl === undefined ? undefined : this.#file(join(settings.baseUrl, specifier));
      if (based !== undefined) return based;
    }
    const parent = dirname(folder);
    return parent === folder ? undefined : this.#aliased(specifier, parent);
  }

  /** By `imports` of the package's own manifest. */
  #inner(specifier: string, folder: string): Resolved {
    const own = specifier.startsWith("#") ? this.#packages.around(folder) : undefined;
    for (const target of mappedTargets(own?.manifest.get("imports") ?? null, specifier)) {
      const found = target.startsWith(".")
        ? this.#target(target, own)
        : this.resolve(target, join(own?.folder ?? folder, "package.json"));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #package(specifier: string, folder: string): Resolved {
    const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
    const subpath = `.${specifier.slice(name.length)}`;
    const own = this.#packages.around(folder);
    const meant = own === undefined ? undefined : dependencyAlias(own.manifest, name);
    if (meant !== undefined && meant !== name) return this.#find(meant + subpath.slice(1), folder);
    const target = this.#packages.named(name, folder);
    return target === undefined ? undefined : this.#entry(target, subpath);
  }

  /** What a package of the project gives under a subpath, as source where there is one. */
  #entry(target: OwnPackage, subpath: string): Resolved {
    const { manifest, folder } = target;
    const listed = mappedTargets(manifest.get("exports") ?? null, subpath);
    const legacy = ["source", "module", "main", "types"].flatMap((key) => stringAt(manifest, key) ?? []);
    const written = [...listed, ...(subpath === "." ? legacy : [])];
    for (const path of written) {
      const found = this.#target(path, target);
      if (found !== undefined) return found;
    }
    const inside = subpath === "." ? "index" : subpath;
    return this.#file(join(folder, "src", inside)) ?? this.#file(join(folder, inside));
  }

  /** A path that a manifest names: its source rather than what was built from it. */
  #target(path: string, owner: OwnPackage | undefined): Resolved {
    const full = resolve(owner?.folder ?? ".", path);
    return this.#sourceOf(full, owner) ?? this.#file(full);
  }

  #sourceOf(path: string, owner: OwnPackage | undefined): Resolved {
    if (owner === undefined) return undefined;
    const plain = path.replace(/\.d\.([mc]?)ts$/, ".$1js");
    for (const { outDir, rootDir } of this.#settings.of(owner.folder)) {
      if (outDir === undefined || !isInside(plain, outDir)) continue;
      const inside = relative(outDir, plain);
      for (const home of [rootDir, join(owner.folder, "src"), owner.folder]) {
        const found = home === undefined || home === outDir ? undefined : this.#file(join(home, inside));
        if (found !== undefined) return found;
      }
    }
    const inside = relative(owner.folder, plain).split(sep).join("/");
    if (!OUTPUT_FOLDER.test(inside)) return undefined;
    const rest = inside.replace(OUTPUT_FOLDER, "");
    const fewer = inside.replace(/^[^/]+\//, "");
    return (
      this.#file(join(owner.folder, "src", rest)) ??
      this.#file(join(owner.folder, fewer)) ??
      this.#file(join(owner.folder, rest))
    );
  }

  /** A file, with the extension that is written or another, or a folder's index. */
  #file(path: string): Resolved {
    const [extension] = /\.[mc]?jsx?$/.exec(path) ?? [];
    const stem = extension === undefined ? path : path.slice(0, -extension.length);
    const sources = extension === undefined ? [] : (SOURCES_OF[extension] ?? []);
    const candidates = [
      ...sources.map((it) => stem + it),
      ...(/\.[mc]?[jt]sx?$/.test(path) && !/\.d\.[mc]?ts$/.test(path) ? [path] : []),
      ...EXTENSIONS.map((it) => path + it),
    ];
    const found = candidates.find((candidate) => this.#files.isFile(candidate));
    if (found !== undefined) return { is: "file", file: found };
    if (!this.#files.isFolder(path)) return undefined;
    const own = this.#packages.around(path);
    const entry = own?.folder === path ? this.#mainOf(own) : undefined;
    const index = EXTENSIONS.map((it) => join(path, `index${it}`)).find((it) => this.#files.isFile(it));
    return entry ?? (index === undefined ? undefined : { is: "file", file: index });
  }

  #mainOf(own: OwnPackage): Resolved {
    const main = stringAt(own.manifest, "main");
    const isItself = main === undefined || resolve(own.folder, main) === own.folder;
    return isItself ? undefined : this.#target(main, own);
  }
}

function prefixLength({ pattern }: PathAlias): number {
  const star = pattern.indexOf("*");
  return star < 0 ? Number.POSITIVE_INFINITY : star;
}

function isInside(path: string, folder: string): boolean {
  return path.startsWith(folder + sep);
}
