import { dirname } from "node:path";
import { syncFolder } from "../log/stream-files.js";
import type { Logger } from "../setup/logger.js";
import { nodeCrypto } from "../setup/node-crypto.js";
import { nodeFiles } from "../setup/node-files.js";
import { systemCode } from "../source/file-fault.js";
import type { PublicJwk } from "./check-signature.js";
import { isRecord } from "./jws.js";
import { readKey } from "./key-list.js";
import { holdLock } from "./state-lock.js";

/** What is remembered of an app, whichever token it was seen with. */
export interface AppState {
  /** The highest version that was in force. */
  readonly version: number;
  /** The version that was revoked; only a higher one may follow. */
  readonly revoked?: number | undefined;
}

/** What is remembered for a token. */
export interface TokenState {
  /** The app that it is bound to. */
  readonly audience: string;
  /** The bundle that was in force last; undefined: it was revoked. */
  readonly kept?: KeptBundle | undefined;
}

/** A bundle as it is kept: signed, to be verified again. */
export interface KeptBundle {
  readonly jws: string;
  readonly version: number;
  readonly etag: string | undefined;
  /** The key that has verified it. */
  readonly jwk: PublicJwk;
}

/** The whole file. */
export interface CloudState {
  /** By control plane and audience. */
  readonly apps: Map<string, AppState>;
  /** By token and control plane, hashed. */
  readonly tokens: Map<string, TokenState>;
}

const MAX_BYTES = 256 * 1024 * 1024;

/** The file in which state outlives the process. Whoever can write it decides what an offline start uses: mode 0600. */
export class StateFile {
  readonly path: string;
  readonly #logger: Logger;
  /** Whether it has been said that it cannot be written. */
  #told = false;

  constructor(path: string, logger: Logger) {
    this.path = path;
    this.#logger = logger;
  }

  /** What is in it. One that is not there is empty; so is one that cannot be read, and that is told. */
  read(): CloudState {
    return this.#read((why) =>
      this.#logger.warn(
        `the state file \`${this.path}\` cannot be used and is passed over (${why}): what it remembered is lost`,
      ),
    );
  }

  #read(damaged: (why: string) => void): CloudState {
    const files = nodeFiles();
    try {
      if (files.statSync(this.path).size > MAX_BYTES) throw new Error("it is too large");
      return parseState(JSON.parse(files.readFileSync(this.path, "utf8")));
    } catch (error) {
      const code = systemCode(error);
      if (code !== "ENOENT") damaged(code === "unknown" ? "it is damaged" : code);
      return { apps: new Map(), tokens: new Map() };
    }
  }

  /**
   * Changes what is in it, in one step that other processes see whole or not at all. Never throws.
   *
   * @param change answers whether it has changed anything
   */
  update(change: (state: CloudState) => boolean): void {
    try {
      nodeFiles().mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
      holdLock(`${this.path}.lock`, () => {
        // What is damaged was told when it was read first.
        const state = this.#read(() => undefined);
        if (change(state)) this.#write(formatState(state));
      });
      this.#told = false;
    } catch (error) {
      if (this.#told) return;
      this.#told = true;
      this.#logger.error(
        `the state file \`${this.path}\` cannot be written (${systemCode(error)}): a restart will not know of this bundle, give a place with \`D2_STATE_PATH\``,
      );
    }
  }

  #write(text: string): void {
    const files = nodeFiles();
    const next = `${this.path}.${process.pid}.${nodeCrypto().randomBytes(6).toString("hex")}.tmp`;
    const file = files.openSync(next, "wx", 0o600);
    try {
      try {
        files.writeSync(file, text);
        files.fsyncSync(file);
      } finally {
        files.closeSync(file);
      }
      files.renameSync(next, this.path);
      syncFolder(dirname(this.path));
    } catch (error) {
      files.rmSync(next, { force: true });
      throw error;
    }
  }
}

function formatState({ apps, tokens }: CloudState): string {
  return `${JSON.stringify({ v: 1, apps: Object.fromEntries(apps), tokens: Object.fromEntries(tokens) })}\n`;
}

function parseState(value: unknown): CloudState {
  if (!isRecord(value) || value["v"] !== 1) throw new Error("it has another form");
  return {
    apps: readEntries(value["apps"], readApp),
    tokens: readEntries(value["tokens"], readToken),
  };
}

function readEntries<T>(value: unknown, read: (entry: unknown) => T | undefined): Map<string, T> {
  const entries = new Map<string, T>();
  if (!isRecord(value)) throw new Error("it has another form");
  for (const [key, raw] of Object.entries(value)) {
    const entry = read(raw);
    if (entry === undefined) throw new Error("it has another form");
    entries.set(key, entry);
  }
  return entries;
}

function readApp(entry: unknown): AppState | undefined {
  if (!isRecord(entry) || !isVersion(entry["version"])) return undefined;
  const { version, revoked } = entry;
  if (revoked === undefined) return { version };
  return isVersion(revoked) ? { version, revoked } : undefined;
}

function readToken(entry: unknown): TokenState | undefined {
  if (!isRecord(entry) || typeof entry["audience"] !== "string") return undefined;
  const { audience, kept } = entry;
  if (kept === undefined) return { audience };
  if (!isRecord(kept) || !isRecord(kept["jwk"])) return undefined;
  const { jws, version, etag } = kept;
  const key = readKey(kept["jwk"]);
  if (typeof jws !== "string" || !isVersion(version) || key === undefined) return undefined;
  if (etag !== undefined && typeof etag !== "string") return undefined;
  return { audience, kept: { jws, version, etag, jwk: key.jwk } };
}

const isVersion = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
