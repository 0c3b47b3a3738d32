import { type CanonicalValue, canonicalJson, digest, type HexDigest } from "../canonical/canonical-json.js";
import { compareCodePoints } from "../canonical/code-point-order.js";
import { encodeTagged } from "../canonical/tagged.js";
import type { PolicyState } from "../decide-call.js";
import type { Release } from "../decide-release.js";
import type { Decision } from "../decision.js";
import type { ParameterNames } from "../input/parameter-names.js";
import type { Session } from "../session.js";
import { applyMask, type Mask } from "./mask.js";

/** What of arguments and outputs is written down; of everything else the digest is. */
export type RecordLevel = "digests" | "arguments" | "full";

/** Whose decisions they are: parts of the text that are the same for many calls, made once. */
export interface RecordContext {
  readonly level: RecordLevel;
  readonly mask: Mask;
  readonly tenantText: string;
  readonly policyText: string;
  /** The end of every DECISION's data. */
  readonly identityText: string;
}

/** Names of a policy in records. */
export interface PolicyIdentity {
  readonly policyId: string;
  readonly policyVersion: string;
  /** Of the normalised document. */
  readonly policyDigest: HexDigest;
}

/** What stands in records when there is no policy. */
export const NO_POLICY: PolicyIdentity = Object.freeze({
  policyId: "d2.none",
  policyVersion: "0",
  policyDigest: digest(null),
});

export function recordContext(
  tenant: string,
  { policyId, policyVersion, policyDigest }: PolicyIdentity,
  level: RecordLevel,
  mask: Mask,
): RecordContext {
  const id = canonicalJson(policyId);
  const version = canonicalJson(policyVersion);
  const tenantText = canonicalJson(tenant);
  return Object.freeze({
    level,
    mask,
    tenantText,
    policyText: `{"policy_digest":"${policyDigest}","policy_id":${id},"policy_version":${version}}`,
    identityText: `"policy_id":${id},"policy_version":${version},"tenant_id":${tenantText}}`,
  });
}

/** A call as it was decided. Everything in it stays as it is, so it may be written down later. */
export interface CallRecord {
  readonly context: RecordContext;
  /** Number among the calls of the stream. */
  readonly number: number;
  readonly state: PolicyState;
  readonly tool: string;
  readonly names: ParameterNames | undefined;
  /** As `capture` gives them. */
  readonly args: readonly unknown[];
  /** Absent where there is no user. */
  readonly user:
    | { readonly userId: string; readonly roles: readonly string[]; readonly session: Session }
    | undefined;
  /** Calls that the session's history had. */
  readonly historyLength: number;
  /** The session's facts. */
  readonly facts: readonly string[];
  /** Correlation id of the running call that this one is made inside of. */
  readonly within: string | undefined;
  /**
   * The sessions that the call's was begun inside of, nearest first, on the first record of a session that has any.
   * `mirrored`: what is done in the one before (for the first: in the call's own) stands in it at once.
   */
  readonly around: readonly { readonly id: string; readonly mirrored: boolean }[] | undefined;
  readonly strictSync: boolean;
  readonly decision: Decision;
}

/** How a call ended. */
export interface CallEnding {
  readonly success: boolean;
  /** What the function returned, as `capture` gives it; `undefined` when it threw. */
  readonly output: unknown;
  readonly durationNs: number;
  /** Text of what was thrown, where the level lets it be recorded. */
  readonly error: string | undefined;
  /** The answer to what came back, where the tool has output rules. `value` as `capture` gives it. */
  readonly release: (Release & { readonly ending: ReleaseEnding }) | undefined;
}

/** What a release was about. */
export type ReleaseEnding = "returned" | "thrown" | "stream";

/** The `reason_message` of a decision: the deciding rule and the detail, where there are any. */
export function decisionMessage({ rule, detail }: Decision): string | undefined {
  if (rule === undefined && detail === undefined) return undefined;
  const facts: { [key: string]: CanonicalValue } = {};
  if (rule !== undefined) facts["rule"] = encodeTagged(rule);
  if (detail !== undefined) facts["detail"] = encodeTagged(detail);
  return canonicalJson(facts);
}

/** Texts in code point order, each once, as canonical JSON. */
export function sortedTexts(texts: readonly string[]): string {
  if (texts.length === 0) return "[]";
  const sorted = texts.length === 1 ? texts : [...new Set(texts)].sort(compareCodePoints);
  return canonicalJson(encodeTagged(sorted));
}

/** A recorded value: its digest, and the text that stands in the record. */
export interface RecordedValue {
  readonly digest: HexDigest;
  readonly text: string;
}

/** Encodes a value for one place of a record. */
export function recordedValue(
  value: unknown,
  part: "arguments" | "output",
  { level, mask }: RecordContext,
): RecordedValue {
  const encoded = encodeTagged(value);
  const shown = level === "full" || (level === "arguments" && part === "arguments");
  const whole = digest(encoded);
  if (!shown) return { digest: whole, text: `{"$digest":"${whole}"}` };
  return { digest: whole, text: canonicalJson(applyMask(mask, part, encoded)) };
}
