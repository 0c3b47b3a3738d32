import type { Diagnostic } from "d2-core";
import type { PolicyLimits } from "../load-policy.js";
import type { FoundCode } from "./found-code.js";

export interface DiagnoseOptions {
  /** Named in diagnostics, as it is to be shown. */
  readonly file?: string | undefined;
  /** `json` refuses what only YAML allows. Default `yaml`, which reads JSON as well. */
  readonly format?: "yaml" | "json" | undefined;
  /** Milliseconds since 1970-01-01T00:00:00Z, against which `expires` is held. */
  readonly now: number;
  readonly limits?: PolicyLimits | undefined;
  /** The program that the policy is for: its guarded tools are compared with those of the policy. */
  readonly code?: FoundCode | undefined;
}

/** A rule with an action, in words. */
export interface DiagnosedAction {
  /** Document path. */
  readonly rule: string;
  readonly line: number;
  readonly column: number;
  /** The permission's tool reference. */
  readonly tool: string;
  readonly roles: readonly string[];
  readonly words: string;
}

/** How near the policy is to what it may not exceed. */
export interface DiagnosedLimits {
  /** Of the text, in UTF-8. `used` of a text that is too large is a lower bound. */
  readonly bytes: { readonly used: number; readonly max: number };
  /** Absent where the policy has errors, so that its tools are not known. */
  readonly tools?: { readonly used: number; readonly max: number };
  /** Whole days, rounded down; negative: it has expired. Absent: it does not expire, or when cannot be read. */
  readonly expires?: { readonly at: string; readonly daysLeft: number };
}

/** What is wrong, doubtful or worth knowing about a policy. Plain data, deeply frozen. */
export interface Diagnosis {
  /** Whether the policy can be used: there is no error. */
  readonly ok: boolean;
  readonly file?: string;
  /** Of the policy text, in the order of their places. */
  readonly diagnostics: readonly Diagnostic[];
  /** Of the program, by file, line and column. */
  readonly codeDiagnostics: readonly Diagnostic[];
  readonly errors: number;
  readonly warnings: number;
  readonly limits: DiagnosedLimits;
  /** In the order of the document; empty where the policy has errors. */
  readonly actions: readonly DiagnosedAction[];
  /** What the words about actions leave out. */
  readonly notes: readonly string[];
  /** What was compared: files, distinct tool ids, and guards whose id is worked out when the program runs. */
  readonly code?: { readonly scanned: number; readonly tools: number; readonly dynamic: number };
}
