import type { Violation } from "../decision.js";
import type { ActionName } from "../document/document.js";
import type { OutputPlan, Stage } from "./compile-output.js";
import { violationsOf } from "./field-check.js";
import { followPath } from "./field-path.js";
import { contentHits, type GlobalCheck, sizeHit } from "./global-checks.js";
import { TooManyVisits } from "./memory.js";
import { Uninspectable } from "./uninspectable.js";
import { Denied, Walk } from "./walk.js";

/** The actions that changed something, in the order of the rules, each once. */
export type Transforms = readonly { readonly path: string; readonly action: ActionName }[];

/** Whether a returned value may leave, and as what. */
export type ReleaseVerdict =
  | { readonly ok: true; readonly value: unknown; readonly transforms: Transforms }
  | {
      readonly ok: false;
      readonly reason: "output_validation" | "output_sanitization";
      /** `not_inspectable` where the value could not be looked through. */
      readonly detail?: string;
      readonly violations: readonly Violation[];
      /** Document path of the deciding rule; absent where none decided. */
      readonly rule?: string;
    };

/** A verdict, with the bytes that count towards `max_bytes` after this value. */
export interface MeasuredVerdict {
  readonly verdict: ReleaseVerdict;
  readonly spent: number;
}

const NO_TRANSFORMS: Transforms = Object.freeze([]);

/**
 * Judges what a tool returned: inspects it, asks the rules without action about it, does the acts of the rules with one,
 * and asks the global rules about the result. Never changes the value: what acts change is copied, the rest is shared,
 * and where nothing fires the very same value comes back.
 */
export function releaseValue(plan: OutputPlan, value: unknown): ReleaseVerdict {
  return releaseMeasured(plan, value, 0).verdict;
}

/** `releaseValue` for a value of which others came before, that took `spent` bytes. */
export function releaseMeasured(plan: OutputPlan, value: unknown, spent: number): MeasuredVerdict {
  try {
    return release(plan, value, spent, false);
  } catch (error) {
    if (error instanceof TooManyVisits) return release(plan, value, spent, true);
    throw error;
  }
}

function release(plan: OutputPlan, value: unknown, spent: number, remember: boolean): MeasuredVerdict {
  try {
    const quick = transform(plan, plan.stages, value, remember);
    // The rules without action look at the value as it was, which nothing has changed.
    const refusal = validate(plan, value, quick.special);
    if (refusal !== undefined) return { verdict: refusal, spent };
    return conclude(plan, quick, spent);
  } catch (error) {
    if (error instanceof Uninspectable) return { verdict: notInspectable(error), spent };
    if (!(error instanceof Denied)) throw error;
  }
  try {
    return { verdict: explainDenial(plan, value, remember), spent };
  } catch (error) {
    if (error instanceof Uninspectable) return { verdict: notInspectable(error), spent };
    throw error;
  }
}

/** A value on its way through the stages. */
interface Progress {
  value: unknown;
  /** Marks, by index, the acts that changed something. */
  readonly fired: boolean[];
  special: boolean;
  inspected: boolean;
  readonly remember: boolean;
}

/** Inspects a value and does the acts of all stages, one stage after the other. Throws `Denied` and `Uninspectable`. */
function transform(plan: OutputPlan, stages: readonly Stage[], value: unknown, remember: boolean): Progress {
  const progress: Progress = { value, fired: [], special: false, inspected: false, remember };
  for (const stage of stages) runStage(plan, stage, progress);
  if (!progress.inspected) inspect(plan, progress);
  return progress;
}

function inspect(plan: OutputPlan, progress: Progress): void {
  const walk = new Walk(progress);
  walk.inside(progress.value, plan.nothing, 1);
  progress.special = walk.special;
  progress.inspected = true;
}

function runStage(plan: OutputPlan, { alone, site }: Stage, progress: Progress): void {
  if (alone !== undefined) {
    if (!progress.inspected) inspect(plan, progress);
    const absent =
      alone.path === "$"
        ? progress.value === undefined
        : alone.wantsPresence && !followPath(progress.value, alone.path, () => undefined);
    if (absent && alone.wantsPresence) throw new Denied();
  }
  const walk = new Walk(progress);
  progress.value =
    alone?.path === "$" ? walk.actOn([alone], progress.value, site, 1) : walk.inside(progress.value, site, 1);
  progress.special = walk.special;
  progress.inspected = true;
}

/** What the rules without action say about a value as it was returned. */
function validate(plan: OutputPlan, value: unknown, special: boolean): ReleaseVerdict | undefined {
  let rule: string | undefined;
  const violations: Violation[] = [];
  for (const check of plan.checks) {
    const broken = violationsOf(check, value, special);
    if (broken.length > 0) rule ??= check.rule;
    violations.push(...broken);
  }
  return rule === undefined ? undefined : { ok: false, reason: "output_validation", violations, rule };
}

/** What the global rules say about a transformed value, and the verdict on it. */
function conclude(plan: OutputPlan, { value, fired, special }: Progress, spent: number): MeasuredVerdict {
  const { global } = plan;
  if (!global.empty) {
    const hits: GlobalCheck[] = [...contentHits(global, value)];
    const size = sizeHit(global, value, spent, special);
    if (typeof size !== "number") hits.push(size);
    const [first] = hits;
    if (first !== undefined) {
      const violations = hits.map(({ violation }) => violation);
      return { verdict: { ok: false, reason: "output_sanitization", violations, rule: first.rule }, spent };
    }
    if (typeof size === "number") spent = size;
  }
  const transforms =
    fired.length === 0
      ? NO_TRANSFORMS
      : plan.acts.filter(({ index }) => fired[index]).map(({ report }) => report);
  return { verdict: { ok: true, value, transforms }, spent };
}

/**
 * The verdict on a value that some act denies. The stages do many acts at once and stop at the first that denies, but
 * what cannot be inspected and broken rules without action come first, and then the first act in order.
 */
function explainDenial(plan: OutputPlan, value: unknown, remember: boolean): ReleaseVerdict {
  const progress = transform(plan, [], value, remember);
  const refusal = validate(plan, value, progress.special);
  if (refusal !== undefined) return refusal;
  for (const [index, stage] of plan.singly.entries()) {
    try {
      runStage(plan, stage, progress);
    } catch (error) {
      const act = plan.acts[index];
      if (!(error instanceof Denied) || act === undefined) throw error;
      const message = `\`${act.path}\` is something that may not leave`;
      const violations = [Object.freeze({ path: act.path, operator: "deny", message })];
      return { ok: false, reason: "output_sanitization", violations, rule: act.rule };
    }
  }
  // INVARIANT: acts one by one deny whatever acts together deny.
  throw new Denied();
}

function notInspectable({ obstacle }: Uninspectable): ReleaseVerdict {
  const message = `the returned value holds ${obstacle}: return plain data`;
  const violations = [Object.freeze({ path: "$", operator: "not_inspectable", message })];
  return { ok: false, reason: "output_validation", detail: "not_inspectable", violations };
}
