import type { IncomingMessage } from "node:http";
import { Problem, retryAfter } from "../http/problem.js";
import type { Access, Identity } from "../http/route.js";
import type { Services } from "../http/services.js";
import type { Token } from "../storage/storage.js";
import { rateKey } from "./client-address.js";
import { RateLimit } from "./rate-limit.js";
import { TokenCache } from "./token-cache.js";
import { bearerToken, tokenDigest } from "./token-text.js";
import { TokenUses } from "./token-uses.js";

type Limited = "address" | "token" | "authentication";

/** Decides who may come in: by address, by token, by scope, each within its rate. */
export class Admission {
  readonly #services: Pick<Services, "metrics" | "clock">;
  readonly #tokens: TokenCache;
  readonly #uses: TokenUses;
  readonly #byAddress: RateLimit;
  readonly #byToken: RateLimit;
  readonly #failures: RateLimit;

  constructor(services: Services) {
    const { settings, storage, logger, monotonic } = services;
    this.#services = services;
    this.#tokens = new TokenCache(storage);
    this.#uses = new TokenUses(storage, settings.touchInterval, logger);
    this.#byAddress = new RateLimit({
      perSecond: settings.rateByAddress,
      burst: settings.rateByAddress * 2,
      monotonic,
    });
    this.#byToken = new RateLimit({
      perSecond: settings.rateByToken,
      burst: settings.rateByToken * 2,
      monotonic,
    });
    this.#failures = new RateLimit({
      perSecond: settings.failedAuthentications / 60,
      burst: settings.failedAuthentications,
      monotonic,
    });
  }

  /** Writes what is still to be written. */
  async close(): Promise<void> {
    this.#tokens.close();
    await this.#uses.close();
  }

  /** No longer known from memory, as soon as this returns. */
  forgetToken(id: string): void {
    this.#tokens.forget(id);
  }

  /**
   * At once for a token that is known, after a look into the database for one that is not; undefined: no token is needed.
   *
   * @throws Problem 401, 403 or 429
   */
  admit(
    access: Access,
    incoming: IncomingMessage,
    address: string,
  ): Identity | undefined | Promise<Identity> {
    this.admitAddress(address);
    if (access === "public") return undefined;
    const text = this.#tokenOf(incoming, address);
    const digest = tokenDigest(text);
    const token = this.#tokens.known(digest);
    return token === undefined ? this.#lookUp(digest, access, address) : this.#identity(token, access);
  }

  /** @throws Problem 429 */
  admitAddress(address: string): void {
    this.#pass(this.#byAddress.take(rateKey(address)), "address");
  }

  #tokenOf(incoming: IncomingMessage, address: string): string {
    const header = incoming.headers.authorization;
    if (header === undefined) {
      throw new Problem(401, "token_missing", {
        detail: "send a token: `Authorization: Bearer d2..._...`",
        headers: { "WWW-Authenticate": 'Bearer realm="d2"' },
      });
    }
    return bearerToken(header) ?? this.#refuse(address, "the token is not one of this server");
  }

  async #lookUp(digest: string, access: Exclude<Access, "public">, address: string): Promise<Identity> {
    // Whoever guessed too often is not even looked up; those whose token is known pass above.
    this.#pass(this.#failures.wait(rateKey(address)), "authentication");
    const token = await this.#tokens.read(digest);
    if (token === undefined) return this.#refuse(address, "the token is not one of this server");
    if (token.revokedAt !== null) return this.#refuse(address, "the token was revoked");
    return this.#identity(token, access);
  }

  #identity(token: Token, access: Exclude<Access, "public">): Identity {
    this.#pass(this.#byToken.take(token.id), "token");
    this.#uses.record(token.id, this.#services.clock());
    if (!access.scopes.some((scope) => token.scopes.includes(scope))) {
      throw new Problem(403, "insufficient_scope", {
        detail: `this needs a token with the scope ${access.scopes.map((it) => `\`${it}\``).join(" or ")}`,
      });
    }
    const { accountId, id, kind, scopes, appId } = token;
    return { accountId, tokenId: id, kind, scopes, appId };
  }

  #refuse(address: string, detail: string): never {
    this.#services.metrics.authenticationFailures.add(1);
    this.#pass(this.#failures.take(rateKey(address)), "authentication");
    throw new Problem(401, "token_invalid", {
      detail,
      headers: { "WWW-Authenticate": 'Bearer realm="d2", error="invalid_token"' },
    });
  }

  #pass(wait: number, limit: Limited): void {
    if (wait === 0) return;
    this.#services.metrics.rateLimited.add(1, limit);
    throw new Problem(429, "rate_limited", {
      detail: `too many requests by this ${limit === "token" ? "token" : "address"}: wait`,
      headers: retryAfter(wait),
    });
  }
}
