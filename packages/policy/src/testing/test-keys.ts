import type { Layer } from "d2-core";

// The words of a test file, for the reader and for the JSON Schema.

export const FILE_KEYS = ["policy", "users", "tools", "tests"] as const;

export const USER_KEYS = ["id", "roles"] as const;

/** What a test says of its session. */
const SESSION_KEYS = ["user", "history", "facts", "now"] as const;

/** What a test says of its one call. */
const CALL_KEYS = ["call", "args", "returns", "fails", "expect"] as const;

export const TEST_KEYS = ["name", ...SESSION_KEYS, ...CALL_KEYS, "table", "steps"] as const;

export const STEP_KEYS = CALL_KEYS;

export const HISTORY_KEYS = ["call", "args", "returns", "fails", "assume"] as const;

export const EXPECTATION_KEYS = [
  "decision",
  "reason",
  "layer",
  "rule",
  "detail",
  "violations",
  "value",
  "value_includes",
] as const;

/** Columns of a table, besides `args.` and a path. */
export const COLUMN_NAMES = ["name", ...SESSION_KEYS, ...CALL_KEYS, ...EXPECTATION_KEYS] as const;

export const ARGUMENT_COLUMN = "args.";

export const LAYERS: readonly Layer[] = [
  "policy_state",
  "context",
  "permission",
  "sequence",
  "data_flow",
  "input",
  "output",
  "none",
];

/** Words that people bring along from elsewhere. */
const ALIASES: readonly (readonly [word: string, meant: string])[] = [
  ["tool", "call"],
  ["arguments", "args"],
  ["input", "args"],
  ["output", "returns"],
  ["result", "returns"],
  ["labels", "facts"],
  ["throws", "fails"],
  ["expected", "expect"],
  ["cases", "table"],
  ["description", "name"],
  ["title", "name"],
  ["role", "roles"],
  ["outcome", "decision"],
  ["code", "reason"],
];

/** Those of them that mean one of the known keys. */
export function aliasesOf(known: readonly string[]): ReadonlyMap<string, string> {
  return new Map(ALIASES.filter(([, meant]) => known.includes(meant)));
}
