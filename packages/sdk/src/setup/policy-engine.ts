import { createRequire } from "node:module";
import type { capture, compilePlan, NO_POLICY, RecordWriter, readMask, recordContext } from "d2-core";
import { ConfigurationError } from "d2-core/call";
import type { formatDiagnostics, loadPolicy } from "d2-policy";

/** What turns a policy text into a plan. It brings the YAML reader and the regex engine, so it is loaded when needed. */
export interface PolicyEngine {
  readonly capture: typeof capture;
  readonly compilePlan: typeof compilePlan;
  readonly formatDiagnostics: typeof formatDiagnostics;
  readonly loadPolicy: typeof loadPolicy;
  readonly NO_POLICY: typeof NO_POLICY;
  readonly readMask: typeof readMask;
  readonly recordContext: typeof recordContext;
  readonly RecordWriter: typeof RecordWriter;
}

/** The engine once it is loaded, whichever way: it is there for the other way too, and there is never a second one. */
let loaded: PolicyEngine | undefined;

/** The engine, loaded without blocking. */
export async function loadEngine(): Promise<PolicyEngine> {
  if (loaded === undefined) {
    const [core, policy] = await Promise.all([import("d2-core"), import("d2-policy")]);
    loaded ??= engineOf(core, policy);
  }
  return loaded;
}

/**
 * The engine, loaded while the caller waits.
 *
 * @throws ConfigurationError on a Node that cannot `require` an ES module (before 20.19), unless it is loaded already
 */
export function loadEngineSync(): PolicyEngine {
  if (loaded !== undefined) return loaded;
  const require = createRequire(import.meta.url);
  try {
    const core: typeof import("d2-core") = require("d2-core");
    const policy: typeof import("d2-policy") = require("d2-policy");
    loaded = engineOf(core, policy);
    return loaded;
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ERR_REQUIRE_ESM")) throw cause;
    const message = "`configureRbacSync` needs Node 20.19 or later: `await configureRbac()` instead";
    throw new ConfigurationError(message, [], { cause });
  }
}

function engineOf(core: typeof import("d2-core"), policy: typeof import("d2-policy")): PolicyEngine {
  return {
    capture: core.capture,
    compilePlan: core.compilePlan,
    formatDiagnostics: policy.formatDiagnostics,
    loadPolicy: policy.loadPolicy,
    NO_POLICY: core.NO_POLICY,
    readMask: core.readMask,
    recordContext: core.recordContext,
    RecordWriter: core.RecordWriter,
  };
}
