import type { IncomingHttpHeaders } from "node:http";
import type { Diagnostic } from "d2-core";
import { appNotFound } from "../bundles/app-names.js";
import type { BundleCache } from "../bundles/bundle-cache.js";
import { Problem } from "../http/problem.js";
import type { Identity } from "../http/route.js";
import type { Services } from "../http/services.js";
import type { App, NewVersion, PolicyVersion } from "../storage/storage.js";
import { expectedVersion, versionConflict } from "./expected-version.js";
import type { PolicyCheck, PolicyContent } from "./policy-check.js";
import { type PolicyDifference, policyDifference } from "./policy-difference.js";
import { rememberedNonce } from "./statement.js";
import { checkUploadSignature, signatureMissing } from "./upload-signature.js";

export interface PublishRequest {
  readonly identity: Identity;
  readonly appName: string;
  readonly content: PolicyContent;
  readonly bytes: Uint8Array;
  readonly headers: IncomingHttpHeaders;
}

export interface Published {
  readonly app: App;
  readonly version: PolicyVersion;
  readonly diagnostics: readonly Diagnostic[];
  /** ETag of its bundle; undefined: another version is live already. */
  readonly etag: string | undefined;
}

/** What a publish would do. */
export interface Rehearsal {
  readonly valid: boolean;
  readonly currentVersion: number;
  readonly diagnostics: readonly Diagnostic[];
  /** From what is live; null where the policy cannot be used. */
  readonly difference: PolicyDifference | null;
}

/** Makes policies live. */
export class Publisher {
  readonly #services: Services;
  readonly #check: PolicyCheck;
  readonly #bundles: BundleCache;

  constructor(services: Services, check: PolicyCheck, bundles: BundleCache) {
    this.#services = services;
    this.#check = check;
    this.#bundles = bundles;
  }

  /** @throws Problem 400, 402, 403, 409, 412, 422 */
  async publish(request: PublishRequest): Promise<Published> {
    const { identity, appName, content } = request;
    const { accountId } = identity;
    const { signed, app, expected } = await this.#examine(request);
    if (signed === undefined) throw signatureMissing();
    const validation = await this.#check.diagnose(accountId, content);
    const { policy, diagnostics } = await this.#check.accept(accountId, appName, validation);
    const { statement, keyId, signature } = signed;
    const now = this.#services.clock();
    const target = app ?? (await this.#services.appCreation.obtain(accountId, appName));
    const published = await this.#store(target, {
      ...versionOf(target, content, policy.digest, now, identity),
      keyId,
      signature,
      rollbackOf: null,
      expectedVersion: expected,
      nonce: statement === undefined ? undefined : rememberedNonce(statement, now),
    });
    return { ...published, diagnostics };
  }

  /** What `publish` would do; stores nothing. A signature may be left out. @throws Problem as `publish` does, but not for a bad policy */
  async rehearse(request: PublishRequest): Promise<Rehearsal> {
    const { identity, appName, content } = request;
    const { app } = await this.#examine(request);
    const validation = await this.#check.diagnose(identity.accountId, content);
    const currentVersion = app?.currentVersion ?? 0;
    if (!validation.ok) {
      await this.#check.assertTools(identity.accountId, validation);
      return { valid: false, currentVersion, diagnostics: validation.diagnostics, difference: null };
    }
    const { diagnostics } = await this.#check.accept(identity.accountId, appName, validation);
    const live =
      app === undefined || currentVersion === 0
        ? undefined
        : await this.#services.storage.version(app.id, currentVersion);
    return { valid: true, currentVersion, diagnostics, difference: await policyDifference(live, content) };
  }

  /**
   * Publishes the content of an older version as a new one.
   *
   * @throws Problem 402, 404, 412, 422
   */
  async rollBack(
    identity: Identity,
    app: App,
    version: number,
    expected: number | undefined,
  ): Promise<Published> {
    const old = await this.#services.storage.version(app.id, version);
    if (old === undefined) throw versionNotFound();
    const { text, format, contentDigest: digest } = old;
    const validation = await this.#check.diagnose(identity.accountId, { text, format });
    const { policy, diagnostics } = await this.#check.accept(identity.accountId, app.name, validation);
    const now = this.#services.clock();
    const published = await this.#store(app, {
      ...versionOf(app, { text, format, digest }, policy.digest, now, identity),
      keyId: null,
      signature: null,
      rollbackOf: version,
      expectedVersion: expected,
    });
    return { ...published, diagnostics };
  }

  /**
   * Takes back what is live: bundles are answered 410 until a newer version comes. Revoking again changes nothing.
   *
   * @throws Problem 404 when nothing was ever published
   */
  async revoke(identity: Identity, app: App): Promise<App> {
    const { storage, clock, logger } = this.#services;
    const { accountId, tokenId } = identity;
    const revoked = await storage.revokeApp(accountId, app.id, clock());
    this.#bundles.forget(app.id);
    if (revoked) logger.info({ account: accountId, app: app.id, token: tokenId }, "a policy was revoked");
    const now = await storage.app(accountId, app.id);
    if (now === undefined) throw appNotFound();
    if (!revoked && now.currentVersion === 0) {
      throw new Problem(404, "policy_not_found", { detail: "nothing was published for the app yet" });
    }
    return now;
  }

  async #examine({ identity, appName, content, bytes, headers }: PublishRequest) {
    const { storage, clock } = this.#services;
    const { accountId } = identity;
    const signed = await checkUploadSignature(storage, {
      accountId,
      appName,
      bytes,
      contentDigest: content.digest,
      headers,
      now: clock(),
    });
    const app = await storage.appByName(accountId, appName);
    const expected = expectedVersion(signed?.statement, headers["if-match"], app?.currentVersion ?? 0);
    return { signed, app, expected };
  }

  async #store(app: App, version: NewVersion): Promise<Omit<Published, "diagnostics">> {
    const { storage, logger } = this.#services;
    const stored = await storage.publish(version);
    switch (stored.outcome) {
      case "conflict":
        throw versionConflict(stored.currentVersion);
      case "replayed":
        throw new Problem(409, "statement_replayed", {
          detail: "the signed statement was taken before: sign anew",
        });
      case "published": {
        this.#bundles.forget(app.id);
        const { version: number, rollbackOf, keyId, publishedBy } = stored.version;
        logger.info(
          {
            account: app.accountId,
            app: app.id,
            version: number,
            rollbackOf,
            key: keyId,
            token: publishedBy,
          },
          "a policy was published",
        );
        return { app, version: stored.version, etag: await this.#etag(app, number) };
      }
    }
  }

  /** It is published, whatever becomes of this. */
  async #etag(app: App, version: number): Promise<string | undefined> {
    try {
      const served = await this.#bundles.read(app.accountId, app.id);
      return served.state === "published" && served.version === version ? served.etag : undefined;
    } catch {
      return undefined;
    }
  }
}

function versionOf(
  app: App,
  { text, format, digest }: PolicyContent,
  policyDigest: string,
  publishedAt: number,
  { tokenId }: Identity,
) {
  return {
    appId: app.id,
    text,
    format,
    policyDigest,
    contentDigest: digest,
    publishedAt,
    publishedBy: tokenId,
  };
}

export function versionNotFound(): Problem {
  return new Problem(404, "version_not_found", { detail: "the app has no such version" });
}
