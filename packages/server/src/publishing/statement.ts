import { canonicalJson } from "d2-core";
import { z } from "zod";
import { Problem } from "../http/problem.js";

/** Seconds that a statement may be older or younger than its arrival. */
const TOLERANCE = 300;

const STATEMENT = z.strictObject({
  app: z.string(),
  content_sha256: z.string(),
  expected_version: z.int().min(0),
  nonce: z.string().regex(/^[\w.~+/=-]{16,128}$/),
  time: z.int(),
});

/** What a publisher has signed, beside the content. */
export interface Statement {
  readonly app: string;
  /** SHA-256 of the body, 64 lower-case hex digits. */
  readonly contentDigest: string;
  /** The version that is live as the publisher knows it; 0: none. */
  readonly expectedVersion: number;
  readonly nonce: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The bytes that were signed. */
  readonly signed: Uint8Array;
}

/**
 * Reads an `X-D2-Signature-Input` header: base64url of the canonical JSON, so that one statement has one spelling.
 *
 * @throws Problem 400
 */
export function readStatement(header: string): Statement {
  const bytes = Buffer.from(header, "base64url");
  const text = bytes.toString("utf8");
  if (bytes.toString("base64url") === header && header.length <= 4096) {
    const parsed = STATEMENT.safeParse(parse(text));
    if (parsed.success && canonicalJson(parsed.data) === text) {
      const {
        app,
        content_sha256: contentDigest,
        expected_version: expectedVersion,
        nonce,
        time,
      } = parsed.data;
      const signed = Buffer.from(`d2-publish/1\n${text}`);
      return { app, contentDigest, expectedVersion, nonce, time: time * 1000, signed };
    }
  }
  throw new Problem(400, "statement_invalid", {
    detail:
      "`X-D2-Signature-Input` must be base64url of canonical JSON with `app`, `content_sha256`, `expected_version`, `nonce` and `time`",
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Whether a statement is about this request. Its signature has been checked.
 *
 * @throws Problem 403
 */
export function checkStatement(statement: Statement, app: string, contentDigest: string, now: number): void {
  if (statement.app !== app) {
    throw new Problem(403, "statement_app", { detail: "the signed statement is about another app" });
  }
  if (statement.contentDigest !== contentDigest) {
    throw new Problem(403, "statement_content", { detail: "the signed statement is about another content" });
  }
  if (Math.abs(now - statement.time) > TOLERANCE * 1000) {
    throw new Problem(403, "statement_stale", {
      detail: `the signed statement is taken within ${TOLERANCE} s of its time: sign anew, and check the clock`,
    });
  }
}

/** A nonce as it is remembered: for twice as long as its statement could be taken. */
export function rememberedNonce({ nonce }: Statement, now: number) {
  return { value: nonce, until: now + 2 * TOLERANCE * 1000 };
}
