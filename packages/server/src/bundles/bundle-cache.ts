import { hash } from "node:crypto";
import type { AccountPlans } from "../admin/account-plans.js";
import { Problem } from "../http/problem.js";
import type { Answer } from "../http/route.js";
import type { Services, Signer } from "../http/services.js";
import { appNotFound } from "./app-names.js";
import { bundlePayload, type PublishedPolicy, periodAt } from "./bundle-payload.js";
import { policyJson } from "./policy-json.js";

/** What is served of an app. */
export type ServedApp = ServedBundle | Unserved;

export interface ServedBundle {
  readonly state: "published";
  readonly appName: string;
  readonly version: number;
  /** Strong, with its quotes. */
  readonly etag: string;
  /** The answer to those who have it. */
  readonly unchanged: Answer;
  /** The answer to those who do not; undefined: memory was needed for others. */
  readonly whole: Answer | undefined;
}

export interface Unserved {
  /** `none`: nothing was ever published. */
  readonly state: "none" | "revoked";
  readonly appName: string;
  readonly pollHeaders: Readonly<Record<string, string>>;
}

interface Source {
  readonly published: PublishedPolicy;
  readonly pollHeaders: Readonly<Record<string, string>>;
}

interface KeptBundle extends ServedBundle {
  readonly signer: Signer;
  readonly from: number;
  readonly until: number;
  /** Characters of `whole` and `source`. */
  readonly size: number;
  readonly whole: Answer | undefined;
  readonly source: Source | undefined;
}

type Kept = KeptBundle | Unserved;

interface Reading {
  readonly done: Promise<Kept>;
  /** Something changed since it began. */
  stale: boolean;
}

export interface CacheLimits {
  /** Apps that something is known of. Default: 100,000. */
  readonly apps?: number;
  /** Characters of bundles and policies. Default: 64 million. */
  readonly characters?: number;
}

/**
 * The bundles of all apps that ask, in memory. A bundle is read when it is first asked for, and anew once its app has
 * changed; when its period or its signer ends it is only signed anew.
 *
 * INVARIANT: what was read before a change was heard of is never kept after it.
 */
export class BundleCache {
  readonly #services: Services;
  readonly #plans: AccountPlans;
  readonly #maxApps: number;
  readonly #maxCharacters: number;
  readonly #kept = new Map<string, Kept>();
  readonly #reading = new Map<string, Reading>();
  readonly #stop: () => void;
  #characters = 0;

  constructor(services: Services, plans: AccountPlans, limits: CacheLimits = {}) {
    this.#services = services;
    this.#plans = plans;
    this.#maxApps = limits.apps ?? 100_000;
    this.#maxCharacters = limits.characters ?? 64_000_000;
    this.#stop = services.storage.watch(({ kind, id }) => {
      if (kind === "app") this.forget(id);
      if (kind === "account") for (const appId of this.#apps()) this.forget(appId);
    });
  }

  close(): void {
    this.#stop();
  }

  /** Characters that are in memory. */
  get characters(): number {
    return this.#characters;
  }

  /** What is in memory and still right. Asks nobody. */
  known(appId: string): ServedApp | undefined {
    const kept = this.#kept.get(appId);
    if (kept === undefined || kept.state !== "published") return kept;
    return this.#isRight(kept, this.#services.clock()) ? kept : undefined;
  }

  /**
   * What is served of the app, with `whole`. Callers that ask for the same app at once share the work.
   *
   * @throws Problem 404 where the account has no such app, 503 without a key to sign with
   */
  async read(accountId: string, appId: string): Promise<ServedApp> {
    const known = this.known(appId);
    if (known !== undefined && (known.state !== "published" || known.whole !== undefined)) return known;
    const running = this.#reading.get(appId);
    if (running !== undefined) return running.done;
    const reading: Reading = { stale: false, done: this.#read(accountId, appId) };
    this.#reading.set(appId, reading);
    try {
      const kept = await reading.done;
      if (!reading.stale) this.#keep(appId, kept);
      return kept;
    } finally {
      if (this.#reading.get(appId) === reading) this.#reading.delete(appId);
    }
  }

  /** What was known of the app counts no more, as soon as this returns. */
  forget(appId: string): void {
    const reading = this.#reading.get(appId);
    if (reading !== undefined) reading.stale = true;
    this.#reading.delete(appId);
    this.#drop(appId);
  }

  #apps(): string[] {
    return [...this.#kept.keys(), ...this.#reading.keys()];
  }

  #isRight(kept: KeptBundle, now: number): boolean {
    return now >= kept.from && now < kept.until && this.#services.signing.signer(now) === kept.signer;
  }

  async #read(accountId: string, appId: string): Promise<Kept> {
    const before = this.#kept.get(appId);
    const inMemory = before?.state === "published" ? before.source : undefined;
    const source = inMemory ?? (await this.#source(accountId, appId));
    return "state" in source ? source : this.#sign(source);
  }

  async #source(accountId: string, appId: string): Promise<Source | Unserved> {
    const { storage, settings } = this.#services;
    const app = await storage.app(accountId, appId);
    if (app === undefined) throw appNotFound();
    const { poll_seconds: pollSeconds = settings.pollSeconds } = await this.#plans.of(accountId);
    const pollHeaders = Object.freeze({ "X-D2-Poll-Seconds": String(pollSeconds) });
    const appName = app.name;
    if (app.revokedAt !== null) return { state: "revoked", appName, pollHeaders };
    if (app.currentVersion === 0) return { state: "none", appName, pollHeaders };
    const version = await storage.version(appId, app.currentVersion);
    const policy = version === undefined ? undefined : policyJson(version.text, version.format);
    if (version === undefined || policy === undefined) {
      throw new Error("the live version of an app is not in the database, or is no policy");
    }
    const { publishedAt, policyDigest } = version;
    const published = {
      accountId,
      appName,
      version: version.version,
      publishedAt,
      policyDigest,
      policy,
    };
    return { published, pollHeaders };
  }

  async #sign(source: Source): Promise<KeptBundle> {
    const { clock, signing, settings } = this.#services;
    const { published, pollHeaders } = source;
    const now = clock();
    const signer = signing.signer(now);
    if (signer === undefined) {
      throw new Problem(503, "not_ready", {
        detail: "there is no key to sign with",
        headers: { "Retry-After": "1" },
      });
    }
    const lifetime = settings.bundleLifetimeSeconds;
    const period = periodAt(now, lifetime);
    const jws = await signer.sign(bundlePayload(published, period, lifetime));
    const { version, appName, policy } = published;
    const etag = `"${version}.${hash("sha256", jws, "hex").slice(0, 16)}"`;
    const body = JSON.stringify({ jws, version, etag, metadata: { name: appName } });
    const headers = Object.freeze({ ...pollHeaders, ETag: etag });
    return {
      state: "published",
      appName,
      version,
      etag,
      unchanged: Object.freeze({ status: 304, headers }),
      whole: { status: 200, headers: { ...headers, "Content-Type": "application/json" }, body },
      source,
      signer,
      from: period.from,
      until: period.until,
      size: body.length + policy.metadata.length + policy.policies.length,
    };
  }

  #keep(appId: string, kept: Kept): void {
    this.#drop(appId);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < this.#maxApps) break;
      this.#drop(oldest);
    }
    this.#kept.set(appId, kept);
    if (kept.state !== "published") return;
    this.#characters += kept.size;
    // What answers 304 stays; of the rest what was read first goes first.
    for (const [id, other] of this.#kept) {
      if (this.#characters <= this.#maxCharacters) break;
      if (other.state !== "published" || other.size === 0) continue;
      this.#characters -= other.size;
      this.#kept.set(id, { ...other, size: 0, whole: undefined, source: undefined });
    }
  }

  #drop(appId: string): void {
    const kept = this.#kept.get(appId);
    if (kept === undefined) return;
    if (kept.state === "published") this.#characters -= kept.size;
    this.#kept.delete(appId);
  }
}
