import type { OutputPlan } from "./compile-output.js";
import { type ReleaseVerdict, releaseMeasured } from "./release-value.js";

/** Judges what a stream yields, item by item. */
export interface ItemJudge {
  /** Whether the next item may leave. All rules apply to each item; `max_bytes` is about the items so far in sum. */
  next(item: unknown): ReleaseVerdict;
}

/** A judge for one stream. */
export function createItemJudge(plan: OutputPlan): ItemJudge {
  let spent = 0;
  return {
    next(item) {
      const measured = releaseMeasured(plan, item, spent);
      spent = measured.spent;
      return measured.verdict;
    },
  };
}
