import { type PolicyTree, UNREADABLE } from "d2-core";
import { readPolicyText } from "d2-policy";

/** A policy as it stands in a bundle: JSON texts, so that keys keep the order in which the author wrote them. */
export interface PolicyJson {
  /** An object. */
  readonly metadata: string;
  /** A list. */
  readonly policies: string;
}

/** A node of a policy as JSON; what JSON cannot say is `null`. */
export function treeJson(node: PolicyTree): string {
  if (node === UNREADABLE) return "null";
  if (Array.isArray(node)) return `[${node.map(treeJson).join(",")}]`;
  if (node instanceof Map) {
    const members = [...node].map(([key, value]) => `${JSON.stringify(key)}:${treeJson(value)}`);
    return `{${members.join(",")}}`;
  }
  return typeof node === "bigint" ? String(node) : JSON.stringify(node);
}

/** The parts of a policy's text that go into a bundle; undefined: it has no `metadata` or no `policies`. */
export function policyJson(text: string, format: "yaml" | "json"): PolicyJson | undefined {
  const { tree } = readPolicyText(text, { format });
  if (!(tree instanceof Map)) return undefined;
  const metadata: PolicyTree | undefined = tree.get("metadata");
  const policies: PolicyTree | undefined = tree.get("policies");
  if (!(metadata instanceof Map) || !Array.isArray(policies)) return undefined;
  return { metadata: treeJson(metadata), policies: treeJson(policies) };
}
