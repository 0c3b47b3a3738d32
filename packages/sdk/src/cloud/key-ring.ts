import { D2Error, InvalidSignatureError } from "d2-core/call";
import type { SourceNews } from "../source/policy-source.js";
import type { HttpRequest } from "./http-get.js";
import { type JwsHeader, shown } from "./jws.js";
import { type ListedKey, readKeyList, thumbprint } from "./key-list.js";
import { faultText } from "./reply-fault.js";
import { get, pause, type Steps } from "./steps.js";

/** Milliseconds that a key list is used. */
const LIFETIME = 300_000;

/** Milliseconds between two fetches that nobody announced. */
const GAP = 1000;

/** Milliseconds until the fetch of an announced rotation is tried again. */
const AGAIN = 1000;

/** That the list was fetched, or could not be. */
export type FetchedKeys = Extract<SourceNews, { readonly kind: "keys" }>;

/**
 * The control plane's keys. The list is fetched when it is needed: when it has become old, when a key is not in it (at
 * most once a second), and once for each rotation that a bundle announces. It is replaced as a whole, so a key that has
 * left it verifies nothing any more. Asked by one conversation at a time.
 */
export class KeyRing {
  readonly #request: HttpRequest;
  readonly #clock: () => number;
  readonly #pins: ReadonlySet<string> | undefined;
  readonly #tell: ((news: FetchedKeys) => void) | undefined;
  #keys: ReadonlyMap<string, ListedKey> = new Map();
  /** When the list was fetched last, and when that was last tried. */
  #fetchedAt: number | undefined;
  #triedAt: number | undefined;
  #rotation: string | undefined;

  /** @param pins thumbprints of which a key must have one; undefined: any key of the list will do */
  constructor(
    request: HttpRequest,
    clock: () => number,
    pins: readonly string[] | undefined,
    tell?: (news: FetchedKeys) => void,
  ) {
    this.#tell = tell;
    this.#request = request;
    this.#clock = clock;
    this.#pins = pins === undefined ? undefined : new Set(pins);
  }

  /**
   * The key that a header names.
   *
   * @throws InvalidSignatureError when there is none that may be used; D2Error when the list cannot be had
   */
  *find(header: JwsHeader): Steps<ListedKey> {
    if (header.rotation !== undefined && header.rotation !== this.#rotation) {
      yield* this.#follow(header.rotation);
    } else if (!this.#isFresh() || (!this.#keys.has(header.kid) && this.#mayAsk())) {
      yield* this.#fetch();
    }
    const key = this.#keys.get(header.kid);
    if (key === undefined) {
      throw new InvalidSignatureError(
        `the bundle is signed with the key ${shown(header.kid)}, which is not in the control plane's key list`,
      );
    }
    return this.admit(header, key);
  }

  /** The key again, if it fits the header and the pins. */
  admit({ alg, kid }: JwsHeader, key: ListedKey): ListedKey {
    // INVARIANT: the algorithm is that of the key, never one that the header has chosen for it.
    if (key.alg !== alg) {
      throw new InvalidSignatureError(
        `the bundle's header says ${alg}, but the key ${shown(kid)} is one for ${key.alg}`,
      );
    }
    if (this.#pins !== undefined && !this.#pins.has(thumbprint(key))) {
      throw new InvalidSignatureError(
        `the bundle is signed with the key ${shown(kid)}, which is not among \`pinJwksThumbprints\``,
      );
    }
    return key;
  }

  #isFresh(): boolean {
    if (this.#fetchedAt === undefined) return false;
    const age = this.#clock() - this.#fetchedAt;
    // A clock that was set back must not keep a list for ever.
    return age >= 0 && age < LIFETIME;
  }

  #mayAsk(): boolean {
    return this.#triedAt === undefined || Math.abs(this.#clock() - this.#triedAt) >= GAP;
  }

  *#follow(rotation: string): Steps<void> {
    try {
      yield* this.#fetch(rotation);
    } catch {
      yield* pause(AGAIN);
      yield* this.#fetch(rotation);
    }
    this.#rotation = rotation;
  }

  *#fetch(rotation?: string): Steps<void> {
    const before = [...this.#keys.keys()];
    const began = performance.now();
    let ok = false;
    try {
      yield* this.#fetchList();
      ok = true;
    } finally {
      const milliseconds = performance.now() - began;
      this.#tell?.({ kind: "keys", ok, milliseconds, rotation, before, after: [...this.#keys.keys()] });
    }
  }

  *#fetchList(): Steps<void> {
    this.#triedAt = this.#clock();
    const reply = yield* get(this.#request);
    if (reply.kind === "fault") {
      throw new D2Error("cloud_unreachable", `the control plane's key list ${faultText(reply)}`);
    }
    if (reply.status !== 200) {
      throw new D2Error("cloud_unusable", `the control plane answers ${reply.status} for its key list`);
    }
    this.#keys = readKeyList(reply.body);
    this.#fetchedAt = this.#clock();
  }
}
