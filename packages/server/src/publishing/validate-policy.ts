import type { Diagnostic } from "d2-core";
import { type LoadedPolicy, loadPolicy } from "d2-policy";
import { diagnosePolicy } from "d2-policy/diagnose";
import { policyJson } from "../bundles/policy-json.js";

export type Format = "yaml" | "json";

export type Validation =
  | { readonly ok: true; readonly policy: LoadedPolicy; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly ok: false;
      readonly diagnostics: readonly Diagnostic[];
      /** Set where the policy has no fault but that it names more tools than it may. */
      readonly tools?: { readonly used: number; readonly max: number };
    };

/** Everything that speaks against a policy's text, found by the code behind `d2 diagnose`. Never throws for a bad policy. */
export async function validatePolicy(
  text: string,
  {
    format,
    now,
    maxTools,
  }: { readonly format: Format; readonly now: number; readonly maxTools?: number | undefined },
): Promise<Validation> {
  const { ok, diagnostics, limits } = diagnosePolicy(text, { format, now, limits: { maxTools } });
  if (!ok) {
    const onlyTools = diagnostics.every(
      ({ severity, code }) => severity === "warning" || code === "too_many_tools",
    );
    return { ok, diagnostics, ...(onlyTools && limits.tools !== undefined ? { tools: limits.tools } : {}) };
  }
  const policy = loadPolicy(text, { format, now, limits: { maxTools } });
  const changed = changedAsBundle(text, format, policy, now);
  return changed === undefined
    ? { ok, policy, diagnostics }
    : { ok: false, diagnostics: [...diagnostics, changed] };
}

/** A policy that was accepted before, whether or not it has expired since. @throws D2Error */
export function acceptedPolicy(text: string, format: Format): LoadedPolicy {
  return loadPolicy(text, {
    format,
    now: Number.NEGATIVE_INFINITY,
    limits: { maxTools: Number.MAX_SAFE_INTEGER },
  });
}

/**
 * In a bundle a policy is JSON, and in most programs keys that look like whole numbers come first in an object. Where that
 * gives the policy another meaning (output actions have an order), clients would not enforce what was checked here.
 */
function changedAsBundle(
  text: string,
  format: Format,
  policy: LoadedPolicy,
  now: number,
): Diagnostic | undefined {
  const parts = policyJson(text, format);
  const message =
    "the policy has another meaning once it is in a bundle: give it `metadata`, and no field rules whose paths are whole numbers";
  if (parts === undefined) return fault("not_publishable", message, []);
  const bundle: object = JSON.parse(`{"metadata":${parts.metadata},"policies":${parts.policies}}`);
  const limits = { maxTools: Number.MAX_SAFE_INTEGER };
  const same = loadPolicy(bundle, { now, limits }).digest === policy.digest;
  return same ? undefined : fault("not_publishable", message, []);
}

function fault(code: string, message: string, documentPath: readonly string[]): Diagnostic {
  return { severity: "error", code, message, path: documentPath.join("."), documentPath };
}
