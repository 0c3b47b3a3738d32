import type { OutputPlan } from "./compile-output.js";
import { contentHits, sizeHit } from "./global-checks.js";
import { TooManyVisits } from "./memory.js";
import { Likeness } from "./thrown-likeness.js";
import { Uninspectable } from "./uninspectable.js";
import { Walk } from "./walk.js";

/**
 * Whether what a tool threw must be replaced by a refusal: one of the global rules hits it, or something of it cannot be
 * inspected. Of an error the message, the name and all own fields but `stack` are judged, `cause` and the `errors` of an
 * `AggregateError` among them, errors inside as errors; anything else that was thrown is judged as a value.
 *
 * `max_bytes` is about the JSON of one mapping of all of these. The names `message`, `name`, `cause` and `errors`
 * belong to every error, so as keys they are not held against it.
 */
export function judgeThrown(plan: OutputPlan, thrown: unknown): boolean {
  try {
    return isHit(plan, thrown, false);
  } catch (error) {
    if (error instanceof TooManyVisits) return isHit(plan, thrown, true);
    throw error;
  }
}

function isHit(plan: OutputPlan, thrown: unknown, remember: boolean): boolean {
  const walk = new Walk({ fired: [], special: false, remember });
  const likeness = new Likeness((value, depth) => walk.inside(value, plan.nothing, depth));
  try {
    const { judged, sized } = likeness.of(thrown, 1);
    return (
      contentHits(plan.global, judged).length > 0 ||
      typeof sizeHit(plan.global, sized, 0, walk.special) !== "number"
    );
  } catch (error) {
    if (error instanceof Uninspectable) return true;
    throw error;
  }
}
