import type { Permission } from "../document/document.js";
import type { Act } from "./act.js";
import { compileAct } from "./compile-act.js";
import { compileFieldCheck } from "./compile-field-check.js";
import { compileGlobalChecks } from "./compile-global-checks.js";
import type { FieldCheck } from "./field-check.js";
import type { GlobalChecks } from "./global-checks.js";
import { Site } from "./site.js";

/** A permission whose output rules and global rules apply to a call. */
export interface OutputSource {
  readonly permission: Permission;
}

/** A run of acts, numbered `from` up to, not including, `to`, that one walk does. */
export interface Stage {
  readonly site: Site;
  /** An act that looks at the returned value as a whole before any walk: it is on `$`, or asks for presence. */
  readonly alone: Act | undefined;
}

/** The output rules of a call, ready to judge any number of values. */
export interface OutputPlan {
  /** Rules without action, in document order. */
  readonly checks: readonly FieldCheck[];
  /** Rules with an action, in document order. */
  readonly acts: readonly Act[];
  /** All acts in as few walks as give the outcome of one after the other. */
  readonly stages: readonly Stage[];
  /** One act a stage. */
  readonly singly: readonly Stage[];
  /** A site at which nothing happens but inspection. */
  readonly nothing: Site;
  readonly global: GlobalChecks;
}

/**
 * Binds the output rules of permissions into one plan.
 *
 * @param sources in document order, each permission once
 * @returns `undefined` when there is no output rule at all
 * @throws ConfigurationError for a pattern that cannot be used
 */
export function compileOutput(sources: readonly OutputSource[]): OutputPlan | undefined {
  const checks: FieldCheck[] = [];
  const acts: Act[] = [];
  for (const { permission } of sources) {
    for (const rule of permission.output) {
      if (rule.action === undefined) checks.push(compileFieldCheck(rule));
      else acts.push(compileAct(rule, rule.action, acts.length));
    }
  }
  const global = compileGlobalChecks(sources.map(({ permission }) => permission));
  if (checks.length === 0 && acts.length === 0 && global.empty) return undefined;
  const root = Site.root(acts);
  const stage = (from: number, to: number): Stage => {
    const first = acts[from];
    return {
      site: root.narrowed(from, to),
      alone: first !== undefined && isAlone(first) ? first : undefined,
    };
  };
  return Object.freeze({
    checks,
    acts,
    stages: together(acts).map(([from, to]) => stage(from, to)),
    singly: acts.map(({ index }) => stage(index, index + 1)),
    nothing: root.narrowed(0, 0),
    global,
  });
}

function isAlone(act: Act): boolean {
  return act.path === "$" || act.wantsPresence;
}

/** Cuts the acts into runs: those that must be alone, and the ones between them. */
function together(acts: readonly Act[]): readonly (readonly [from: number, to: number])[] {
  const runs: [number, number][] = [];
  let from = 0;
  for (const act of acts) {
    if (!isAlone(act)) continue;
    if (from < act.index) runs.push([from, act.index]);
    runs.push([act.index, act.index + 1]);
    from = act.index + 1;
  }
  if (from < acts.length) runs.push([from, acts.length]);
  return runs;
}
