import { ALLOW, type Decision, deny } from "./decision.js";
import type { ActionName } from "./document/document.js";
import type { OutputPlan } from "./output/compile-output.js";
import { createItemJudge } from "./output/judge-items.js";
import { judgeThrown } from "./output/judge-thrown.js";
import { type ReleaseVerdict, releaseValue } from "./output/release-value.js";

/** The answer to what a tool returned. */
export interface Release {
  readonly decision: Decision;
  /** What may leave; `undefined` when the decision is deny. */
  readonly value: unknown;
  /** Which actions changed something. */
  readonly transforms: readonly { readonly path: string; readonly action: ActionName }[];
}

const NO_TRANSFORMS: Release["transforms"] = Object.freeze([]);
const EVALUATION_ERROR: Release = {
  decision: deny("evaluation_error", "output"),
  value: undefined,
  transforms: NO_TRANSFORMS,
};

/** Whether a value that a tool returned may leave, and as what. Pure, and never changes the value itself. */
export function decideRelease(plan: OutputPlan | undefined, value: unknown): Release {
  if (plan === undefined) return { decision: ALLOW, value, transforms: NO_TRANSFORMS };
  try {
    return asRelease(releaseValue(plan, value));
  } catch {
    // INVARIANT: an error while deciding never releases. What was thrown may hold output values, so it stays here.
    return EVALUATION_ERROR;
  }
}

/** Judges what a tool threw: a denial when a global rule hits it, else nothing. */
export function decideThrown(plan: OutputPlan | undefined, thrown: unknown): Decision | undefined {
  if (plan === undefined) return undefined;
  try {
    return judgeThrown(plan, thrown)
      ? deny("output_sanitization", "output", { detail: "thrown" })
      : undefined;
  } catch {
    return EVALUATION_ERROR.decision;
  }
}

/** Judges the items of one stream, each by all rules, `max_bytes` in sum. */
export function decideItems(plan: OutputPlan): (item: unknown) => Release {
  const judge = createItemJudge(plan);
  return (item) => {
    try {
      return asRelease(judge.next(item));
    } catch {
      return EVALUATION_ERROR;
    }
  };
}

function asRelease(verdict: ReleaseVerdict): Release {
  if (verdict.ok) return { decision: ALLOW, value: verdict.value, transforms: verdict.transforms };
  return {
    decision: deny(verdict.reason, "output", verdict),
    value: undefined,
    transforms: NO_TRANSFORMS,
  };
}
