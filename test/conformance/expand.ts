/** The guard vectors of `conformance/guard`, typed and with their placeholders filled in. Every surface reads them here. */
import { readdirSync, readFileSync } from "node:fs";
import type { AuthoredPolicy } from "../reference/authored.js";

/** What must come of one call. */
export interface Expectation {
  readonly outcome: "allow" | "deny" | "missing_policy" | "no_context" | "config_error" | "expired" | "error";
  /** What the caller receives; absent where nothing is said about it. */
  readonly value?: unknown;
  /** Whether the bare function ran. */
  readonly ran?: boolean;
  /** The start of the reason code. */
  readonly reason_prefix?: string;
  readonly violations?: readonly {
    readonly path: string;
    readonly operator: string;
    readonly operand?: unknown;
  }[];
  /** A text that is nowhere in the refusal. */
  readonly hidden?: string;
}

/** One guarded call. Times are in milliseconds. */
export interface CallStep {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly returns?: unknown;
  /** The text of the error that the bare function throws, or its `message`, `name` and other own fields. */
  readonly throws?: string | Readonly<Record<string, unknown>>;
  readonly on_deny?: unknown;
  readonly delay_ms?: number;
  readonly sleep_ms?: number;
  readonly new_context?: VectorUser;
  readonly clear_context?: boolean;
  readonly params?: readonly string[];
  readonly rest?: boolean;
  readonly positional?: readonly unknown[];
  readonly body?: readonly CallStep[];
  readonly caught?: boolean;
  readonly expect: Expectation;
}

export interface VectorUser {
  readonly id: string;
  readonly roles: readonly string[];
}

export type Step =
  | CallStep
  | { readonly parallel: readonly CallStep[] }
  | { readonly run_as: VectorUser & { readonly steps: readonly CallStep[] } };

export interface Vector {
  readonly id: string;
  readonly area: string;
  readonly source: "upstream" | "spec";
  readonly note: string;
  readonly divergence?: string;
  readonly limits?: Readonly<Record<string, number>>;
  /** A string is the text of a YAML document. */
  readonly policy: AuthoredPolicy | string;
  readonly user: VectorUser | null;
  readonly steps: readonly Step[];
  /** For vectors about loading: the error's class, or null where loading must succeed. */
  readonly expect?: { readonly load_error: string | null };
}

const FOLDER = new URL("../../conformance/guard/", import.meta.url);
const NUMBERS = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

function expandText(text: string, now: number): string {
  const pad = /^\$PAD(\d+)$/.exec(text);
  if (pad !== null) return "x".repeat(Number(pad[1]));
  const time = /^\$NOW([+-]\d+)$/.exec(text);
  return time === null ? text : new Date(now + Number(time[1]) * 1000).toISOString();
}

/** A copy of a vector's JSON with the placeholders filled in; `now` is the time that `$NOW` stands for. */
export function expand(value: unknown, now: number): unknown {
  if (typeof value === "string") return expandText(value, now);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => expand(item, now));
  const entries = Object.entries(value);
  const [only] = entries.length === 1 ? entries : [];
  if (only?.[0] === "$num") return NUMBERS.get(String(only[1])) ?? Number.NaN;
  if (only?.[0] === "$deep") {
    let deep: unknown = 0;
    for (let level = 0; level < Number(only[1]); level++) deep = [deep];
    return deep;
  }
  return Object.fromEntries(entries.map(([key, item]) => [key, expand(item, now)]));
}

/** The names of the vector files, in order. */
export function guardVectorFiles(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".json"))
    .sort();
}

/** The cases of one file as they are written. */
function writtenVectors(file: string): unknown[] {
  return JSON.parse(readFileSync(new URL(file, FOLDER), "utf8"));
}

/** All vectors of the guard, or those of one file. `now` (milliseconds) is what `$NOW` counts from. */
export function loadGuardVectors(now: number, file?: string): Vector[] {
  // The files follow `conformance/guard/README.md`; the runners fail on a case that does not.
  return (file === undefined ? guardVectorFiles() : [file]).flatMap(
    (name) => expand(writtenVectors(name), now) as Vector[],
  );
}

/** The vectors of one file, each made when it is about to be run, so that `$NOW` is then. */
export function pendingVectors(file: string): { readonly id: string; readonly make: () => Vector }[] {
  return writtenVectors(file).map((written) => ({
    id: (written as Vector).id,
    make: () => expand(written, Date.now()) as Vector,
  }));
}

/** The named arguments of a step: its `args`, or its `positional` ones by the parameter names. */
export function namedArguments(step: CallStep): {
  /** Absent where the call cannot be named. */
  readonly args?: Readonly<Record<string, unknown>>;
  readonly names?: readonly string[];
  readonly beyond: boolean;
} {
  const { params, positional } = step;
  const names =
    params === undefined || step.rest ? {} : { names: params.map((name) => name.replace(/^\.\.\./, "")) };
  if (positional === undefined) return { args: step.args, beyond: false, ...names };
  if (params !== undefined) {
    const args = params.map((name, at): [string, unknown] =>
      name.startsWith("...") ? [name.slice(3), positional.slice(at)] : [name, positional[at]],
    );
    const rest = params.at(-1)?.startsWith("...") === true;
    return { args: Object.fromEntries(args), beyond: !rest && positional.length > params.length, ...names };
  }
  const [lone, ...more] = positional;
  if (lone === undefined) return { args: {}, beyond: false };
  const plain = typeof lone === "object" && lone !== null && !Array.isArray(lone) && more.length === 0;
  return plain ? { args: { ...lone }, beyond: false } : { beyond: false };
}
