import { hash } from "node:crypto";
import type { Diagnostic } from "d2-core";
import type { LoadedPolicy } from "d2-policy";
import type { AccountPlans } from "../admin/account-plans.js";
import { Problem } from "../http/problem.js";
import { type Format, type Validation, validatePolicy } from "./validate-policy.js";

/** A policy's text as it was uploaded. */
export interface PolicyContent {
  readonly text: string;
  readonly format: Format;
  /** SHA-256 of its bytes, hex. */
  readonly digest: string;
}

/** @throws Problem 422 when the bytes are no text */
export function policyContent(bytes: Uint8Array): PolicyContent {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Problem(422, "policy_not_utf8", { detail: "the policy must be text in UTF-8" });
  }
  return { text, format: formatOf(text), digest: hash("sha256", bytes, "hex") };
}

function formatOf(text: string): Format {
  if (!text.trimStart().startsWith("{")) return "yaml";
  try {
    JSON.parse(text);
    return "json";
  } catch {
    // A YAML mapping may begin with a brace as well.
    return "yaml";
  }
}

export interface CheckedPolicy {
  readonly policy: LoadedPolicy;
  /** Warnings. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks policies as the language and an account's plan ask for it. */
export class PolicyCheck {
  readonly #plans: AccountPlans;
  readonly #clock: () => number;

  constructor(plans: AccountPlans, clock: () => number) {
    this.#plans = plans;
    this.#clock = clock;
  }

  /** Never throws for a bad policy. */
  async diagnose(
    accountId: string,
    { text, format }: Pick<PolicyContent, "text" | "format">,
  ): Promise<Validation> {
    const { max_tools: maxTools } = await this.#plans.of(accountId);
    return validatePolicy(text, { format, now: this.#clock(), maxTools });
  }

  /**
   * What of a validation may be published under the name.
   *
   * @throws Problem 402 `tool_limit` when the plan has room for fewer tools, 422 when it cannot be used, or has another name
   */
  async accept(accountId: string, appName: string, validation: Validation): Promise<CheckedPolicy> {
    if (!validation.ok) {
      await this.assertTools(accountId, validation);
      throw new Problem(422, "policy_invalid", {
        detail: "the policy has errors: see `diagnostics`",
        members: { diagnostics: validation.diagnostics },
      });
    }
    const { policy, diagnostics } = validation;
    if (policy.document.name !== appName) {
      throw new Problem(422, "name_mismatch", {
        detail: "`metadata.name` must be the name of the app that the policy is published for",
      });
    }
    return { policy, diagnostics };
  }

  /** @throws Problem 402 when the plan has room for fewer tools */
  async assertTools(accountId: string, validation: Validation): Promise<void> {
    const tools = validation.ok ? undefined : validation.tools;
    const { max_tools: most } = await this.#plans.of(accountId);
    if (tools === undefined || tools.max !== most) return;
    throw new Problem(402, "tool_limit", {
      detail: `tool_limit: the policy names ${tools.used} tools and the plan has room for ${most}`,
      members: { tools },
    });
  }
}
