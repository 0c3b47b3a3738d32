import { dirname, isAbsolute, join, resolve } from "node:path";
import { type JsonObject, objectAt, readJsonText, stringAt, stringsOf } from "./json-text.js";
import type { ProjectFiles } from "./project-files.js";
import type { Parser } from "./syntax.js";

/** A pattern of `paths`, with the absolute patterns that it stands for. */
export interface PathAlias {
  readonly pattern: string;
  readonly targets: readonly string[];
}

/** What a `tsconfig.json` says that matters for finding modules. Folders are absolute. */
export interface CompilerSettings {
  readonly aliases: readonly PathAlias[];
  /** From where names that are not relative are looked up, too. */
  readonly baseUrl: string | undefined;
  readonly outDir: string | undefined;
  readonly rootDir: string | undefined;
}

const NOTHING: CompilerSettings = { aliases: [], baseUrl: undefined, outDir: undefined, rootDir: undefined };

/** Reads `tsconfig*.json` and `jsconfig.json`. */
export class CompilerSettingsReader {
  readonly #parser: Parser;
  readonly #files: ProjectFiles;
  readonly #known = new Map<string, CompilerSettings>();
  readonly #ofFolder = new Map<string, readonly CompilerSettings[]>();

  constructor(parser: Parser, files: ProjectFiles) {
    this.#parser = parser;
    this.#files = files;
  }

  /** The settings that lie in a folder: `tsconfig.json` first, then those that it may refer to. */
  of(folder: string): readonly CompilerSettings[] {
    const known = this.#ofFolder.get(folder);
    if (known !== undefined) return known;
    const names = this.#files
      .names(folder)
      .filter((name) => /^(?:ts|js)config(?:\.[^/]+)?\.json$/.test(name));
    const ordered = [...names].sort((a, b) => Number(b === "tsconfig.json") - Number(a === "tsconfig.json"));
    const settings = ordered.map((name) => this.#read(join(folder, name), folder, []));
    this.#ofFolder.set(folder, settings);
    return settings;
  }

  #read(file: string, configFolder: string, chain: readonly string[]): CompilerSettings {
    if (chain.includes(file)) return NOTHING;
    const key = `${configFolder}\0${file}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const text = this.#files.read(file);
    const config = text === undefined ? undefined : readJsonText(this.#parser, text);
    const inherited = stringsOf(config?.get("extends"))
      .flatMap((name) => this.#extended(name, dirname(file)))
      .map((path) => this.#read(path, configFolder, [...chain, file]))
      .reduce(over, NOTHING);
    const settings = over(inherited, ownSettings(config, dirname(file), configFolder));
    this.#known.set(key, settings);
    return settings;
  }

  #extended(name: string, folder: string): readonly string[] {
    if (name.startsWith(".") || isAbsolute(name)) {
      const path = resolve(folder, name);
      return [path, `${path}.json`].filter((candidate) => this.#files.isFile(candidate)).slice(0, 1);
    }
    for (let home = folder; ; home = dirname(home)) {
      const path = join(home, "node_modules", name);
      const candidates = [path, `${path}.json`, join(path, "tsconfig.json")];
      const found = candidates.find((candidate) => this.#files.isFile(candidate));
      if (found !== undefined) return [found];
      if (dirname(home) === home) return [];
    }
  }
}

function over(base: CompilerSettings, own: CompilerSettings): CompilerSettings {
  return {
    aliases: own.aliases.length > 0 ? own.aliases : base.aliases,
    baseUrl: own.baseUrl ?? base.baseUrl,
    outDir: own.outDir ?? base.outDir,
    rootDir: own.rootDir ?? base.rootDir,
  };
}

function ownSettings(config: JsonObject | undefined, folder: string, configFolder: string): CompilerSettings {
  const options = objectAt(config, "compilerOptions");
  if (options === undefined) return NOTHING;
  const folderAt = (key: string) => {
    const written = stringAt(options, key);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how the compiler's setting is written.
    return written === undefined ? undefined : resolve(folder, written.replace("${configDir}", configFolder));
  };
  const baseUrl = folderAt("baseUrl");
  const aliases = [...(objectAt(options, "paths") ?? [])].map(([pattern, targets]) => ({
    pattern,
    targets: stringsOf(targets).map((target) =>
      // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how the compiler's setting is written.
      resolve(baseUrl ?? folder, target.replace("${configDir}", configFolder)),
    ),
  }));
  return { aliases, baseUrl, outDir: folderAt("outDir"), rootDir: folderAt("rootDir") };
}
