import type { ProjectFiles } from "./project-files.js";
import { readModule } from "./read-module.js";
import type { SourceModule } from "./source-module.js";
import { nestsTooDeeply, type Parser, parseSource, placeOf } from "./syntax.js";

/** A file that could not be read, or not wholly. */
export interface UnreadableSource {
  /** Relative to what was scanned, with `/`. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in code points. */
  readonly column: number;
  readonly message: string;
}

/** The modules of a project, each parsed once, when first asked for. */
export class ModuleStore {
  readonly #parser: Parser;
  readonly #files: ProjectFiles;
  readonly #known = new Map<string, SourceModule | undefined>();
  readonly #faults = new Map<string, Omit<UnreadableSource, "file">>();

  constructor(parser: Parser, files: ProjectFiles) {
    this.#parser = parser;
    this.#files = files;
  }

  /** @returns `undefined`: the file cannot be read */
  load(file: string): SourceModule | undefined {
    if (this.#known.has(file)) return this.#known.get(file);
    const module = this.#read(file);
    this.#known.set(file, module);
    return module;
  }

  /** What kept a file from being read; where a part of it could be, that part counts. */
  faultOf(file: string): Omit<UnreadableSource, "file"> | undefined {
    return this.#faults.get(file);
  }

  #read(file: string): SourceModule | undefined {
    const text = this.#files.read(file)?.replace(/^\uFEFF/, "");
    if (text === undefined) {
      this.#faults.set(file, { line: 1, column: 1, message: "cannot be read" });
      return undefined;
    }
    try {
      if (nestsTooDeeply(text)) throw new RangeError("nested too deeply");
      const { program, fault } = parseSource(this.#parser, file, text);
      if (fault !== undefined) {
        this.#faults.set(file, { ...placeOf(text, fault.offset), message: lowerFirst(fault.message) });
      }
      return readModule(this.#parser, file, text, program);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#faults.set(file, { line: 1, column: 1, message: "is nested too deeply to be read" });
      return undefined;
    }
  }
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
