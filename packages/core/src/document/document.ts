/**
 * The policy document after checking: short forms expanded, faults gone, groups kept. This is what a plan is compiled
 * from and what the document digest covers. Everything keyed by a name that an author chose is a list of entries,
 * never an object, so that a key such as `__proto__` is a name like any other.
 */

/** Where something stands in the document as written: keys and list indexes from the root. */
export type DocumentPath = readonly (string | number)[];

/** A value that a policy may hold: what JSON can say, without bigint and non-finite numbers. */
export type PolicyValue =
  | null
  | boolean
  | number
  | string
  | readonly PolicyValue[]
  | { readonly [key: string]: PolicyValue };

export interface PolicyDocument {
  readonly version: 1;
  /** `metadata.name`; absent when the author gave none. */
  readonly name?: string;
  readonly description?: string;
  /** `metadata.expires` as written. Whether it can be read is decided when the policy is loaded. */
  readonly expires?: PolicyValue;
  readonly toolGroups: readonly ToolGroup[];
  readonly labels: readonly LabelRule[];
  readonly blocks: readonly BlockRule[];
  readonly policies: readonly PolicyEntry[];
}

export interface ToolGroup {
  readonly name: string;
  /** Tool patterns: an exact id, `*`, or a prefix such as `db.*`. May be empty when nothing refers to the group. */
  readonly tools: readonly string[];
  readonly at: DocumentPath;
}

/** `data_flow.labels`: a call to a tool that matches `tool` puts `labels` among the session's facts. */
export interface LabelRule {
  readonly tool: string;
  readonly labels: readonly string[];
  readonly at: DocumentPath;
}

/** `data_flow.blocks`: once `label` is a fact, tools matched by one of `tools` are denied. */
export interface BlockRule {
  readonly label: string;
  readonly tools: readonly string[];
  readonly at: DocumentPath;
}

export interface PolicyEntry {
  readonly roles: readonly string[];
  readonly permissions: readonly Permission[];
  readonly sequence?: SequenceRules;
  readonly at: DocumentPath;
}

export interface Permission {
  /** Tool reference: a tool pattern or `@group`. */
  readonly tool: string;
  readonly allow: boolean;
  readonly input: readonly FieldRule[];
  readonly output: readonly FieldRule[];
  readonly global: GlobalRules;
  readonly at: DocumentPath;
}

/** `conditions.input` or `conditions.output`, one path of it. */
export interface FieldRule {
  /** As written: `filters.status`; `$` alone is the returned value (output only). */
  readonly path: string;
  /** In the order written, `action` left out. Operands are normalised (a lone `in` operand is a list of one). */
  readonly operators: readonly OperatorUse[];
  /** Output only. */
  readonly action?: ActionName;
  readonly at: DocumentPath;
}

export interface OperatorUse {
  readonly name: OperatorName;
  readonly operand: PolicyValue;
}

export type ActionName = "filter" | "redact" | "truncate" | "deny";

export type OperatorName =
  | "required"
  | "type"
  | "eq"
  | "ne"
  | "in"
  | "not_in"
  | "min"
  | "max"
  | "gt"
  | "lt"
  | "minLength"
  | "maxLength"
  | "max_bytes"
  | "matches"
  | "not_matches"
  | "contains"
  | "not_contains"
  | "startsWith"
  | "endsWith";

/** Section 8 of the language: rules on the transformed value as a whole. */
export interface GlobalRules {
  readonly denyIfPatterns: readonly string[];
  readonly requireFieldsAbsent: readonly string[];
  readonly maxBytes?: number;
}

export interface SequenceRules {
  readonly mode: "allow" | "deny";
  readonly rules: readonly SequenceRule[];
  readonly at: DocumentPath;
}

export interface SequenceRule {
  readonly kind: "allow" | "deny";
  /** 1 to 16 tool references (at least 2 for `deny`). */
  readonly steps: readonly string[];
  readonly reason?: string;
  readonly at: DocumentPath;
}
