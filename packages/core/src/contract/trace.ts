import { type CanonicalValue, digest, type HexDigest } from "../canonical/canonical-json.js";
import { isMapping } from "../values/kind.js";
import { InvalidTraceError } from "./contract-error.js";
import { type FrozenMapping, frozenCopy } from "./frozen-copy.js";

/** Keys that hold how long something took. They differ from run to run, so they are in no digest. */
export const TIMING_KEYS: readonly string[] = Object.freeze([
  "runtime_ms",
  "duration_ms",
  "latency_ms",
  "timing_ms",
  "perf_ms",
  "runtime_ns",
  "duration_ns",
  "latency_ns",
]);

/**
 * A frozen copy of a trace without its timing keys, at every depth. What stands under such a key is not looked at.
 *
 * @throws {InvalidTraceError} when the rest has no canonical JSON
 */
export function sanitizeTrace(trace: unknown): CanonicalValue {
  return copyTrace(trace, new Set(TIMING_KEYS));
}

/**
 * The digest of a trace as given: sanitize it before.
 *
 * @throws {InvalidTraceError} when it is no mapping, or has no canonical JSON
 */
export function traceDigest(trace: unknown): HexDigest {
  return digest(copyMapping(trace));
}

/** A trace and the digest that came with it. */
export interface NormalizedTrace {
  readonly trace: FrozenMapping;
  /** As it was given. Whether it belongs to the trace is checked when an EXECUTION event is made of the two. */
  readonly traceDigest: string;
}

/**
 * Takes the digest out of a trace that carries one under `trace_digest`. The trace is neither sanitized nor verified.
 *
 * @throws {InvalidTraceError} when it is no mapping, has no digest, or has no canonical JSON
 */
export function normalizeTrace(trace: unknown): NormalizedTrace {
  const copy = copyMapping(trace);
  const given = copy["trace_digest"];
  if (typeof given !== "string" || given === "") {
    throw new InvalidTraceError("`trace_digest` must be a non-empty string");
  }
  const rest: { [key: string]: CanonicalValue } = Object.create(null);
  for (const [key, value] of Object.entries(copy)) if (key !== "trace_digest") rest[key] = value;
  return Object.freeze({ trace: Object.freeze(rest), traceDigest: given });
}

function copyMapping(trace: unknown): FrozenMapping {
  const copy = copyTrace(trace);
  if (!isMapping(copy)) throw new InvalidTraceError("`trace` must be a mapping");
  return copy;
}

function copyTrace(trace: unknown, leaveOut?: ReadonlySet<string>): CanonicalValue {
  try {
    return frozenCopy(trace, leaveOut);
  } catch (error) {
    throw new InvalidTraceError("`trace` must be canonical data", { cause: error });
  }
}
