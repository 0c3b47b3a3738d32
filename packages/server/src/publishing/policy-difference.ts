import { acceptedPolicy, type Format } from "./validate-policy.js";

export interface PolicyContent {
  readonly text: string;
  readonly format: Format;
}

/** What changed in meaning from one policy to another. */
export interface PolicyDifference {
  /** `same`: they decide the same; `changed`: they may not. */
  readonly direction: "same" | "changed";
}

/** Compares two policies that were accepted; `before` is undefined where there was none. */
export async function policyDifference(
  before: PolicyContent | undefined,
  after: PolicyContent,
): Promise<PolicyDifference> {
  if (before === undefined) return { direction: "changed" };
  const [old, now] = [before, after].map(({ text, format }) => acceptedPolicy(text, format).digest);
  return { direction: old === now ? "same" : "changed" };
}
