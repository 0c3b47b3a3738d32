import type { PolicyJson } from "./policy-json.js";

/** A published version as bundles are made from it. */
export interface PublishedPolicy {
  readonly accountId: string;
  readonly appName: string;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
  readonly policyDigest: string;
  readonly policy: PolicyJson;
}

/** A stretch of time in which a version has one bundle. Milliseconds since 1970; `until` is the first that is not in it. */
export interface Period {
  readonly from: number;
  readonly until: number;
}

/** @param lifetime of a bundle, in seconds; 0: bundles do not expire, and there is but one period */
export function periodAt(at: number, lifetime: number): Period {
  if (lifetime === 0) return { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };
  const length = lifetime * 500;
  const from = Math.floor(at / length) * length;
  return { from, until: from + length };
}

/** The payload of a bundle. INVARIANT: it follows from the version, the period and the lifetime alone. */
export function bundlePayload(published: PublishedPolicy, period: Period, lifetime: number): string {
  const { accountId, appName, version, publishedAt, policyDigest, policy } = published;
  const claims = {
    iss: "d2-server",
    aud: `d2-policy:${accountId}:${appName}`,
    iat: Math.floor(Math.max(period.from, publishedAt) / 1000),
    ...(lifetime === 0 ? {} : { exp: Math.floor(period.from / 1000) + lifetime }),
    version,
    policy_digest: policyDigest,
  };
  const open = JSON.stringify(claims).slice(0, -1);
  return `${open},"metadata":${policy.metadata},"policies":${policy.policies}}`;
}
