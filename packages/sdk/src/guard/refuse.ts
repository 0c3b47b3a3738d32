import {
  BundleExpiredError,
  type Decision,
  MissingPolicyError,
  NoContextError,
  PermissionDeniedError,
} from "d2-core/call";
import type { ActingUser, Scope } from "../context/scope.js";
import type { RefusalError } from "./options.js";

const NO_ROLES: readonly string[] = Object.freeze([]);

/** The error that says why a call was refused: which tool, for whom, by which rule; never an argument or a result. */
export function refusalError(tool: string, user: ActingUser | undefined, decision: Decision): RefusalError {
  const refusal = { toolId: tool, userId: user?.userId, roles: user?.roles ?? NO_ROLES, decision };
  const { reason } = decision;
  if (reason === "policy_expired") return new BundleExpiredError(explain(tool, decision), refusal);
  if (reason === "no_context") return new NoContextError(explain(tool, decision), refusal);
  if (reason === "missing_policy" || reason === "policy_unavailable") {
    return new MissingPolicyError(explain(tool, decision), refusal);
  }
  return new PermissionDeniedError(explain(tool, decision), refusal);
}

/**
 * Whether what a body threw is the refusal of a guarded call made inside it: not something that looks like one, and not
 * one that the body has put something into.
 */
export function isInnerRefusal(body: Scope, thrown: unknown): boolean {
  if (typeof thrown !== "object" || thrown === null) return false;
  const parts = body.refusals?.get(thrown);
  if (parts === undefined) return false;
  const now = partsOf(thrown);
  return now.length === parts.length && now.every((part, index) => Object.is(part, parts[index]));
}

/** Lets every body around know that this refusal is genuine. */
export function vouchFor(error: RefusalError, scope: Scope | undefined): void {
  let parts: readonly unknown[] | undefined;
  for (let at = scope; at !== undefined; at = at.outer) {
    if (at.call === 0 || at.ended) continue;
    parts ??= partsOf(error);
    at.refusals ??= new WeakMap();
    at.refusals.set(error, parts);
  }
}

/** All that somebody could have changed of an error but its `stack`, which is not judged in any error. */
function partsOf(error: object): readonly unknown[] {
  const parts: unknown[] = [Object.getPrototypeOf(error)];
  for (const key of Reflect.ownKeys(error)) {
    if (key === "stack") continue;
    const { value, get, set } = Object.getOwnPropertyDescriptor(error, key) ?? {};
    parts.push(key, value, get, set);
  }
  return parts;
}

function explain(tool: string, decision: Decision): string {
  const { reason, rule, violations } = decision;
  const by = rule === undefined ? "" : ` by ${rule}`;
  // A violation's message names its path.
  const named = violations.map(({ operator, message }) => `${message} (${operator})`);
  const why = named.length === 0 ? hint(decision) : named.join("; ");
  return `\`${tool}\` was refused, ${reason}${by}: ${why}`;
}

function hint(decision: Decision): string {
  switch (decision.reason) {
    case "ok":
      return "it was allowed";
    case "no_context":
      return "there is no user here; set one with `runAs`, `setUser` or the web middleware";
    case "missing_policy":
      return "no role of the policy has a permission for this tool; check the tool id, or add it to a role";
    case "rbac_denied":
      return "none of the user's roles may call it";
    case "sequence_violation":
      return decision.detail ?? "it may not follow what was called before in this session";
    case "data_flow_violation":
      return "the session has touched data whose label blocks this tool";
    case "input_validation":
      return "an argument is not acceptable";
    case "output_validation":
      return "what it returned is not what the policy demands";
    case "output_sanitization":
      return "what it returned may not leave";
    case "policy_unavailable":
      return "there is no policy: `configureRbac()` was not called yet, or the control plane has none or has revoked it";
    case "policy_expired":
      return "the policy has expired; load one whose `metadata.expires` lies ahead";
    case "strict_sync":
      return "worker tools are switched off by `strict` or `D2_STRICT_SYNC`";
    case "evaluation_error":
      return "the decision could not be made";
  }
}
