import { D2Error, PolicyError } from "d2-core/call";
import type { Logger } from "../setup/logger.js";
import { nodeCrypto } from "../setup/node-crypto.js";
import { type BundleReply, type Failure, readBundleReply } from "./bundle-reply.js";
import type { CloudMemory } from "./cloud-memory.js";
import type { CloudSettings } from "./cloud-settings.js";
import type { HttpRequest } from "./http-get.js";
import type { JwsHeader } from "./jws.js";
import type { ListedKey } from "./key-list.js";
import { type FetchedKeys, KeyRing } from "./key-ring.js";
import type { KeptBundle } from "./state-file.js";
import { get, pause, type Steps } from "./steps.js";
import { type Bundle, type RawBundle, verifyBundle } from "./verify-bundle.js";

/** Milliseconds that an answer may take. */
const BUNDLE_TIMEOUT = 5000;
const JWKS_TIMEOUT = 10_000;

/** Milliseconds until a load asks again after a fault of the server's. */
const RETRY = 300;

const MAX_JWKS_BYTES = 256 * 1024;

/** Bytes that stand around the policy in an answer: the claims, the signature, the rest of the JSON. */
const ENVELOPE = 64 * 1024;

/** What came of asking once. */
export type Outcome =
  | { readonly kind: "bundle"; readonly bundle: Bundle; readonly pollSeconds: number }
  | { readonly kind: "unchanged"; readonly pollSeconds: number }
  | { readonly kind: "revoked"; readonly pollSeconds: number }
  /** With a `bundle`: the one of an earlier run holds, and begins in place of what could not be had. */
  | (Failure & { readonly bundle?: Bundle | undefined; readonly pollSeconds?: number | undefined });

/** Asks the control plane for the bundle, and believes nothing of what comes before it is verified. */
export class Conversation {
  readonly #settings: CloudSettings;
  readonly #memory: CloudMemory;
  readonly #logger: Logger;
  readonly #clock: () => number;
  readonly #maxBytes: number;
  readonly #keys: KeyRing;
  /** ETag of the bundle in force, or of the one that an earlier run has left. */
  #etag: string | undefined;
  /** The one that an earlier run has left, as long as the control plane's own keys have not verified it. */
  #left: KeptBundle | undefined;
  #recalled = false;

  /** @param maxBytes the largest policy, in bytes */
  constructor(
    settings: CloudSettings,
    memory: CloudMemory,
    {
      logger,
      clock,
      maxBytes,
      fetchedKeys,
    }: {
      readonly logger: Logger;
      readonly clock: () => number;
      readonly maxBytes: number;
      readonly fetchedKeys?: ((news: FetchedKeys) => void) | undefined;
    },
  ) {
    this.#settings = settings;
    this.#memory = memory;
    this.#logger = logger;
    this.#clock = clock;
    this.#maxBytes = maxBytes;
    const { jwksUrl, jwksSeesToken, pins } = settings;
    const request: HttpRequest = {
      url: jwksUrl,
      headers: { accept: "application/json", ...(jwksSeesToken ? this.#authorization() : {}) },
      timeoutMs: JWKS_TIMEOUT,
      maxBytes: MAX_JWKS_BYTES,
    };
    this.#keys = new KeyRing(request, clock, pins, fetchedKeys);
  }

  /** @param patient whether a fault of the server's is worth a second try at once */
  *ask(patient: boolean): Steps<Outcome> {
    const first = !this.#recalled;
    if (first) this.#recall();
    const outcome = yield* this.#askOnline(patient);
    if (!first || outcome.kind !== "failed" || this.#left === undefined) return outcome;
    return { ...outcome, bundle: yield* this.#verifyLeft(this.#left) };
  }

  /** The bundle is in force: from now on the control plane is asked for what is not it. */
  adopt(bundle: Bundle): void {
    if (bundle.jws !== this.#left?.jws) this.#left = undefined;
    this.#etag = bundle.etag;
  }

  /** There is no bundle any more. */
  forget(): void {
    this.#left = undefined;
    this.#etag = undefined;
  }

  #recall(): void {
    this.#recalled = true;
    this.#left = this.#memory.recall();
    this.#etag = this.#left?.etag;
  }

  *#askOnline(patient: boolean): Steps<Outcome> {
    let reply = yield* this.#request();
    if (patient && reply.kind === "failed" && reply.again === true) {
      yield* pause(RETRY);
      reply = yield* this.#request();
    }
    if (reply.kind === "bundle") return yield* this.#verify(reply.raw, reply.pollSeconds);
    if (reply.kind !== "unchanged" || this.#left === undefined) return this.#plain(reply);
    // Nobody but this file says that what the ETag names is what lies beside it.
    const proved = yield* this.#verify(this.#left, reply.pollSeconds);
    if (proved.kind !== "failed" || !(proved.error instanceof PolicyError)) {
      if (proved.kind === "bundle") this.#left = undefined;
      return proved;
    }
    this.#logger.warn(`the bundle in the state file is not used: ${proved.error.message}`);
    this.forget();
    reply = yield* this.#request();
    return reply.kind === "bundle" ? yield* this.#verify(reply.raw, reply.pollSeconds) : this.#plain(reply);
  }

  #plain(reply: Exclude<BundleReply, { kind: "bundle" }>): Outcome {
    if (reply.kind !== "unchanged" || this.#etag !== undefined) return reply;
    const error = new D2Error(
      "cloud_unusable",
      "the control plane says unchanged (304) without a bundle to change",
    );
    return { kind: "failed", error, nature: "passing" };
  }

  *#request(): Steps<BundleReply> {
    const maxBytes = Math.ceil((this.#maxBytes * 4) / 3) + ENVELOPE;
    const reply = yield* get({
      url: `${this.#settings.apiUrl}/v1/policy/bundle`,
      headers: {
        accept: "application/json",
        "x-request-id": nodeCrypto().randomUUID(),
        ...this.#authorization(),
        ...(this.#etag === undefined ? {} : { "if-none-match": this.#etag }),
      },
      timeoutMs: BUNDLE_TIMEOUT,
      maxBytes,
    });
    return readBundleReply(reply, this.#maxBytes, this.#clock());
  }

  *#verify(raw: RawBundle, pollSeconds: number): Steps<Outcome> {
    let signed = false;
    try {
      const bundle = yield* verifyBundle(raw, (header) => this.#keys.find(header), this.#clock());
      signed = true;
      this.#memory.admit(bundle);
      return { kind: "bundle", bundle, pollSeconds };
    } catch (error) {
      if (!(error instanceof D2Error)) throw error;
      // A bundle of another app or version: the next that is published may be the right one.
      const nature = error instanceof PolicyError && !signed ? "set_up" : "passing";
      return { kind: "failed", error, nature, pollSeconds };
    }
  }

  /** Verifies what an earlier run has left by the key that it was verified with then, for want of the key list. */
  *#verifyLeft(left: KeptBundle): Steps<Bundle | undefined> {
    const alg = left.jwk.kty === "RSA" ? "RS256" : "EdDSA";
    const keys = this.#keys;
    // biome-ignore lint/correctness/useYield: it must be of the kind that fetches keys.
    const find = function* (header: JwsHeader): Steps<ListedKey> {
      return keys.admit(header, { jwk: left.jwk, alg });
    };
    try {
      const bundle = yield* verifyBundle(left, find, this.#clock());
      this.#memory.admit(bundle);
      return bundle;
    } catch (error) {
      if (!(error instanceof D2Error)) throw error;
      this.#logger.warn(`the bundle in the state file is not used: ${error.message}`);
      this.forget();
      return undefined;
    }
  }

  #authorization(): Readonly<Record<string, string>> {
    return { authorization: `Bearer ${this.#settings.token}` };
  }
}
