import {
  checkTree,
  DEFAULT_MAX_BYTES,
  type Diagnostic,
  type Fault,
  formatDocumentPath,
  type PolicyDocument,
  type PolicyTree,
  utf8Size,
} from "d2-core";
import { diagnosticsOfText } from "../diagnostics.js";
import { readExpiry } from "../expiry.js";
import { frozen } from "../frozen.js";
import { actionWords, ruleNotes } from "../inspect/words-actions.js";
import { DEFAULT_MAX_TOOLS } from "../load-policy.js";
import { locateIn } from "../locate.js";
import { type PolicyText, readPolicyText } from "../policy-text.js";
import { countTools } from "../tool-count.js";
import { checkCode } from "./code-checks.js";
import type { DiagnosedAction, DiagnosedLimits, DiagnoseOptions, Diagnosis } from "./diagnosis.js";
import { error, warning } from "./finding.js";
import { idleRules } from "./idle-rules.js";

const DAY = 24 * 60 * 60 * 1000;

/** Days before its end from which a policy is warned of. */
const SOON = 14;

/**
 * Looks for everything that is wrong with a policy text, or doubtful about it. Never throws for a bad policy: where
 * `loadPolicy` would refuse it, there is an error among the diagnostics.
 */
export function diagnosePolicy(text: string, options: DiagnoseOptions): Diagnosis {
  const max = options.limits?.maxBundleBytes ?? DEFAULT_MAX_BYTES;
  const bytes = { used: utf8Size(text, max), max };
  if (bytes.used > max) return tooLarge(bytes, options);
  const source = readPolicyText(text, options.format === undefined ? {} : { format: options.format });
  const { document, faults } = checkTree(source.tree, source.faults);
  const expiry = checkExpiry(document?.expires ?? expiresOf(source.tree), options.now);
  const tools = document === undefined ? undefined : checkTools(document, options);
  const code =
    document === undefined || options.code === undefined ? undefined : checkCode(document, options.code);
  const all = [
    ...faults,
    ...expiry.faults,
    ...(tools?.faults ?? []),
    ...(document === undefined ? [] : idleRules(document)),
    ...(code?.faults ?? []),
  ];
  const limits: DiagnosedLimits = {
    bytes,
    ...(tools === undefined ? {} : { tools: tools.limit }),
    ...(expiry.limit === undefined ? {} : { expires: expiry.limit }),
  };
  const diagnostics = diagnosticsOfText(all, source, options.file);
  return diagnosisOf(diagnostics, code?.diagnostics ?? [], limits, options, actionsOf(document, source));
}

function diagnosisOf(
  diagnostics: readonly Diagnostic[],
  codeDiagnostics: readonly Diagnostic[],
  limits: DiagnosedLimits,
  { file, code }: DiagnoseOptions,
  { actions, notes }: Pick<Diagnosis, "actions" | "notes"> = { actions: [], notes: [] },
): Diagnosis {
  const all = [...diagnostics, ...codeDiagnostics];
  const errors = all.filter(({ severity }) => severity === "error").length;
  return frozen({
    ok: errors === 0,
    ...(file === undefined ? {} : { file }),
    diagnostics,
    codeDiagnostics,
    errors,
    warnings: all.length - errors,
    limits,
    actions,
    notes,
    ...(code === undefined
      ? {}
      : {
          code: {
            scanned: code.scanned,
            tools: new Set(code.tools.map(({ tool }) => tool)).size,
            dynamic: code.dynamic.length,
          },
        }),
  });
}

/** Not even read: a text of any size could take any time. */
function tooLarge(bytes: DiagnosedLimits["bytes"], options: DiagnoseOptions): Diagnosis {
  const message = `the policy is larger than ${bytes.max} bytes and was not read: split it up, or raise \`maxBundleBytes\``;
  const place = { path: "", documentPath: [] };
  const bare: Diagnostic = { severity: "error", code: "policy_too_large", message, ...place };
  const diagnostic = options.file === undefined ? bare : { ...bare, file: options.file };
  return diagnosisOf([diagnostic], [], { bytes }, options);
}

function checkTools(
  document: PolicyDocument,
  options: DiagnoseOptions,
): { readonly faults: readonly Fault[]; readonly limit: { readonly used: number; readonly max: number } } {
  const limit = { used: countTools(document), max: options.limits?.maxTools ?? DEFAULT_MAX_TOOLS };
  if (limit.used <= limit.max) return { faults: [], limit };
  const message = `the policy names ${limit.used} tools and ${limit.max} is the most it may: use prefixes, or raise \`maxTools\``;
  return { faults: [error("too_many_tools", message, ["policies"], { at: "key" })], limit };
}

function checkExpiry(
  expires: unknown,
  now: number,
): {
  readonly faults: readonly Fault[];
  readonly limit?: { readonly at: string; readonly daysLeft: number };
} {
  if (expires === undefined) return { faults: [] };
  const path = ["metadata", "expires"];
  const instant = typeof expires === "string" ? readExpiry(expires) : undefined;
  if (instant === undefined) {
    const message =
      "`expires` cannot be read, so the policy counts as expired: write it like `2027-01-31T00:00:00Z`";
    return { faults: [error("expired", message, path)] };
  }
  const at = new Date(instant).toISOString();
  const daysLeft = Math.floor((instant - now) / DAY);
  const limit = { at, daysLeft };
  if (now >= instant) {
    const message = `the policy expired at ${at}, and everything is denied: renew \`expires\``;
    return { faults: [error("expired", message, path)], limit };
  }
  if (instant - now > SOON * DAY) return { faults: [], limit };
  const left = daysLeft === 0 ? "less than a day" : daysLeft === 1 ? "1 day" : `${daysLeft} days`;
  const message = `the policy expires in ${left}, and from then on everything is denied: renew \`expires\``;
  return { faults: [warning("expires_soon", message, path)], limit };
}

/** `metadata.expires` of a policy that has faults elsewhere. */
function expiresOf(tree: PolicyTree): string | undefined {
  const metadata = tree instanceof Map ? tree.get("metadata") : undefined;
  const expires: unknown = metadata instanceof Map ? metadata.get("expires") : undefined;
  return typeof expires === "string" ? expires : undefined;
}

function actionsOf(
  document: PolicyDocument | undefined,
  source: PolicyText,
): Pick<Diagnosis, "actions" | "notes"> {
  if (document === undefined) return { actions: [], notes: [] };
  const locate = locateIn(source);
  const actions: DiagnosedAction[] = [];
  for (const { roles, permissions } of document.policies) {
    for (const { tool, output } of permissions) {
      for (const field of output) {
        if (field.action === undefined) continue;
        const rule = formatDocumentPath(field.at);
        const { line, column } = locate(rule) ?? { line: 1, column: 1 };
        actions.push({ rule, line, column, tool, roles, words: actionWords(field) });
      }
    }
  }
  const rules = document.policies.flatMap(({ permissions }) => permissions.flatMap(({ output }) => output));
  return { actions, notes: ruleNotes(rules.filter(({ action }) => action !== undefined)) };
}
