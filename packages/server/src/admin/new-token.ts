import { newTokenText, tokenDigest } from "../access/token-text.js";
import type { Scope, Storage, Token, TokenKind } from "../storage/storage.js";
import { newId } from "./id.js";

interface ScopeRule {
  readonly usual: readonly Scope[];
  readonly possible: readonly Scope[];
}

/** What each kind of token may do. */
export const SCOPES: Readonly<Record<TokenKind, ScopeRule>> = {
  runtime: { usual: ["policy.read", "events.write"], possible: ["policy.read", "events.write"] },
  developer: {
    usual: ["policy.read", "policy.write"],
    possible: ["policy.read", "policy.write", "metrics.read"],
  },
  admin: {
    usual: ["admin", "metrics.read", "policy.read"],
    possible: ["admin", "metrics.read", "policy.read"],
  },
};

export interface TokenRequest {
  readonly accountId: string;
  readonly kind: TokenKind;
  readonly scopes?: readonly Scope[] | undefined;
  /** Of runtime tokens, and of them only. */
  readonly appId: string | null;
  readonly name: string;
}

interface TokenMaking {
  readonly storage: Pick<Storage, "createToken">;
  readonly clock: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
}

/** Makes a token and stores its digest. @returns it, and its text, which is nowhere else */
export async function createToken(
  { storage, clock, randomBytes }: TokenMaking,
  { accountId, kind, scopes, appId, name }: TokenRequest,
): Promise<{ readonly token: Token; readonly text: string }> {
  const text = newTokenText(kind, randomBytes);
  const token: Token = {
    id: newId("tok", randomBytes),
    accountId,
    kind,
    scopes: scopes ?? SCOPES[kind].usual,
    appId,
    name,
    digest: tokenDigest(text),
    createdAt: clock(),
    lastUsedAt: null,
    revokedAt: null,
  };
  await storage.createToken(token);
  return { token, text };
}
