import { extname } from "node:path";
import { ConfigurationError } from "d2-core/call";
import { nodeCrypto } from "../setup/node-crypto.js";
import { FileWatch, type WatchTiming } from "./file-watch.js";
import type { PolicySource, PolicyText } from "./policy-source.js";
import { readPolicyFile } from "./read-policy-file.js";
import { shownPath } from "./shown-path.js";

const TIMING: WatchTiming = { settleMs: 40, pollMs: 2000 };

/** What a file source needs to know besides the path. */
export interface FileSourceOptions {
  /** The folder that names in logs and errors are relative to, absolute. */
  readonly folder: string;
  /** The largest file that is read, in bytes. */
  readonly maxBytes: number;
  readonly timing?: WatchTiming;
}

/** A policy in a file, which is watched. */
export class FileSource implements PolicySource {
  readonly name: string;
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #timing: WatchTiming;
  readonly #watches = new Set<FileWatch>();
  /** The state of the file when it was last read. */
  #state: string | undefined;

  /** @param path absolute, so that a later change of the current folder means nothing */
  constructor(path: string, options: FileSourceOptions) {
    this.name = shownPath(path, options.folder);
    this.#path = path;
    this.#maxBytes = options.maxBytes;
    this.#timing = options.timing ?? TIMING;
  }

  /** Reads like `loadSync`: the file is small and local, and one way to read cannot differ from another. */
  async load(): Promise<PolicyText> {
    return this.loadSync();
  }

  loadSync(): PolicyText {
    const { bytes, state } = readPolicyFile(this.#path, this.name, this.#maxBytes);
    this.#state = state;
    for (const watch of this.#watches) watch.know(state);
    return {
      content: this.#decode(bytes),
      format: formatOf(this.#path),
      file: this.name,
      revision: nodeCrypto().createHash("sha256").update(bytes).digest("hex"),
    };
  }

  subscribe(listener: () => void): () => void {
    const watch = new FileWatch(this.#path, this.#state, this.#timing, listener);
    this.#watches.add(watch);
    return () => {
      watch.close();
      this.#watches.delete(watch);
    };
  }

  async close(): Promise<void> {
    for (const watch of this.#watches) watch.close();
    this.#watches.clear();
  }

  #decode(bytes: Uint8Array): string {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch (cause) {
      // Replacing what cannot be read might turn one role or tool into another.
      throw new ConfigurationError(`the policy file \`${this.name}\` is not UTF-8: save it as UTF-8`, [], {
        cause,
      });
    }
  }
}

function formatOf(path: string): "yaml" | "json" | undefined {
  switch (extname(path).toLowerCase()) {
    case ".yaml":
    case ".yml":
      return "yaml";
    case ".json":
      return "json";
  }
  return undefined;
}
