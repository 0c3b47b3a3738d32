import type { PolicyError } from "d2-core/call";
import type { Logger } from "../setup/logger.js";
import { type CloudSettings, stateKey } from "./cloud-settings.js";
import { type AppState, type KeptBundle, StateFile } from "./state-file.js";
import { type Bundle, refused } from "./verify-bundle.js";

/**
 * What is known of the app beyond one bundle, in memory and on disk: which app it is, the highest version, what was
 * revoked, and the bundle that was in force last.
 */
export class CloudMemory {
  readonly #file: StateFile | undefined;
  readonly #key: string;
  readonly #apiUrl: string;
  /** What the file has said of each app. */
  #apps: ReadonlyMap<string, AppState> = new Map();
  #audience: string | undefined;
  #highest: number | undefined;
  #revoked: number | undefined;

  constructor(settings: CloudSettings, logger: Logger) {
    this.#key = stateKey(settings);
    this.#apiUrl = settings.apiUrl;
    this.#file = settings.statePath === undefined ? undefined : new StateFile(settings.statePath, logger);
  }

  /** Takes up what is on disk. Answers with the bundle that was in force last, not verified, if it may still be used. */
  recall(): KeptBundle | undefined {
    const state = this.#file?.read();
    if (state === undefined) return undefined;
    this.#apps = state.apps;
    const token = state.tokens.get(this.#key);
    if (token === undefined) return undefined;
    this.#meet(token.audience);
    const { kept } = token;
    return kept === undefined || this.#objection(kept.version) !== undefined ? undefined : kept;
  }

  /**
   * Refuses a bundle of another app, and one that is older than what was in force or not newer than what was revoked.
   *
   * @throws PolicyError
   */
  admit({ audience, version }: Bundle): void {
    if (this.#audience !== undefined && audience !== this.#audience) {
      throw refused(
        `the bundle is for \`${audience}\`, and the token is bound to \`${this.#audience}\`: it is not used`,
      );
    }
    if (this.#audience === undefined) this.#meet(audience);
    const objection = this.#objection(version);
    if (objection !== undefined) throw objection;
  }

  /** The bundle is in force: it is what the next start may begin with, and nothing older comes after it. */
  adopt(bundle: Bundle): void {
    const { jws, version, etag, jwk, audience } = bundle;
    this.#highest = Math.max(version, this.#highest ?? 0);
    this.#file?.update(({ apps, tokens }) => {
      const key = this.#appKey(audience);
      const { version: seen = 0, revoked } = apps.get(key) ?? {};
      const kept = tokens.get(this.#key)?.kept;
      if (seen >= version && kept?.jws === jws && kept.etag === etag) return false;
      apps.set(key, { version: Math.max(seen, version), revoked });
      // Another process with this token may be ahead.
      if (kept !== undefined && kept.version > version && kept.version > (revoked ?? -1)) return true;
      tokens.set(this.#key, { audience, kept: { jws, version, etag, jwk } });
      return true;
    });
  }

  /** The app is revoked: only a newer version than any before may follow, after a restart too. */
  revoke(): void {
    const audience = this.#audience;
    // Where no bundle was ever seen there is nothing to go back to.
    if (audience === undefined) return;
    const version = this.#highest ?? 0;
    this.#revoked = Math.max(version, this.#revoked ?? 0);
    const revoked = this.#revoked;
    this.#file?.update(({ apps, tokens }) => {
      const key = this.#appKey(audience);
      const before = apps.get(key);
      const kept = tokens.get(this.#key)?.kept;
      if (kept === undefined && (before?.revoked ?? -1) >= revoked) return false;
      apps.set(key, {
        version: Math.max(before?.version ?? 0, version),
        revoked: Math.max(before?.revoked ?? 0, revoked),
      });
      if (kept === undefined || kept.version <= revoked) tokens.set(this.#key, { audience });
      return true;
    });
  }

  /** Whether what was in force last was revoked, and nothing has come since. */
  get isRevoked(): boolean {
    return this.#revoked !== undefined && this.#revoked >= (this.#highest ?? 0);
  }

  /** INVARIANT: done once; the app never changes again, whatever is signed. */
  #meet(audience: string): void {
    const app = this.#apps.get(this.#appKey(audience));
    this.#audience = audience;
    this.#highest = app?.version;
    this.#revoked = app?.revoked;
  }

  #objection(version: number): PolicyError | undefined {
    if (this.#revoked !== undefined && version <= this.#revoked) {
      return refused(
        `the bundle has version ${version}, and ${this.#revoked} was revoked: only a newer one brings the policy back`,
      );
    }
    if (this.#highest !== undefined && version < this.#highest) {
      return refused(
        `the bundle has version ${version}, and ${this.#highest} was in force: versions never go back, \`d2 rollback\` publishes a newer one`,
      );
    }
    return undefined;
  }

  #appKey(audience: string): string {
    return `${this.#apiUrl} ${audience}`;
  }
}
