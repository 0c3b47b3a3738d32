import { diffPolicies, type PolicyDiff } from "d2-policy/diff";
import { acceptedPolicy, type Format } from "./validate-policy.js";

export interface PolicyContent {
  readonly text: string;
  readonly format: Format;
}

/** States of sequence rules that are compared: enough for most policies, and few enough for a server to go on serving. */
const MAX_STATES = 2000;

/** What changed in meaning from one policy to another; `direction` alone where there was none before. */
export type PolicyDifference = PolicyDiff | { readonly direction: "changed" };

/** Compares two policies that were accepted; `before` is undefined where there was none. */
export async function policyDifference(
  before: PolicyContent | undefined,
  after: PolicyContent,
): Promise<PolicyDifference> {
  if (before === undefined) return { direction: "changed" };
  const old = acceptedPolicy(before.text, before.format);
  const now = acceptedPolicy(after.text, after.format);
  return diffPolicies(old, now, { maxStates: MAX_STATES });
}
