import {
  canonicalJson,
  type Decision,
  decideRelease,
  judgeRecorded,
  judgeRecordedRelease,
  type NotReplayable,
  type Release,
  Session,
  type ToolEntry,
} from "d2-core";
import type { Place } from "./audit.js";
import { answerOf, kindOfChange } from "./change.js";
import type { ChangeList } from "./change-list.js";
import type { CallIntent, Intent } from "./event.js";
import type { ReplayPolicy } from "./policy-shelf.js";
import type { ReplayWatcher } from "./replay.js";
import type { RunningCall } from "./running-calls.js";
import type { Followed } from "./session-book.js";

/** Why a decision that was taken again could not be taken by the other policy. */
export type NotComparedCause =
  | NotReplayable
  /** It could not be taken again under its own policy. */
  | "not_replayed";

/** Asks another policy about every decision of a log that its own policy takes again as recorded. */
export class Comparison implements ReplayWatcher {
  readonly list: ChangeList;
  readonly #against: ReplayPolicy;
  #compared = 0;
  readonly #causes = new Map<NotComparedCause, number>();
  /** Rules of the other policy for the calls that run and that it allows too. */
  readonly #allowed = new WeakMap<CallIntent, ToolEntry>();

  constructor(against: ReplayPolicy, list: ChangeList) {
    this.#against = against;
    this.list = list;
  }

  get compared(): number {
    return this.#compared;
  }

  get notCompared(): { readonly [cause in NotComparedCause]?: number } {
    return Object.fromEntries(this.#causes);
  }

  decided(
    intent: CallIntent,
    followed: Followed | undefined,
    enclosing: number,
    decision: Decision | undefined,
    place: Place,
  ): void {
    this.#takeFacts(intent, followed);
    if (decision === undefined) {
      this.#leaveOut("not_replayed");
      return;
    }
    const session = followed?.shadow ?? new Session();
    // INVARIANT: these inputs were judged before, so they are in the right form.
    const verdict = judgeRecorded(this.#against.plan, intent.inputs, session, enclosing);
    if ("cause" in verdict) {
      this.#leaveOut(verdict.cause);
      return;
    }
    this.#compare(intent, decision, verdict.decision, place, false);
    const { entry } = verdict;
    if (verdict.decision.outcome === "allow" && entry !== undefined) this.#allowed.set(intent, entry);
  }

  /**
   * Gives the shadow the facts that the other policy would see: of the recorded ones those that no label of the recorded
   * policies explains. What its own labels give is there already.
   */
  #takeFacts({ facts }: CallIntent, followed: Followed | undefined): void {
    const { shadow, labels } = followed ?? {};
    if (shadow === undefined || labels === undefined || facts.length === 0) return;
    const explained = labels.facts;
    const others = facts.filter(
      (fact) => typeof fact === "string" && !explained.has(fact) && !shadow.facts.has(fact),
    );
    // Only texts have passed.
    if (others.length > 0) shadow.addFacts(others as string[]);
  }

  began({ followed, intent }: RunningCall): void {
    const labels = this.#against.plan?.labelsOf(intent.tool) ?? [];
    if (labels.length > 0) followed.shadow?.addFacts(labels);
  }

  released({ intent: call }: RunningCall, intent: Intent, release: Release | undefined, place: Place): void {
    const entry = this.#allowed.get(call);
    // A call that the other policy refuses gives nothing to release.
    if (entry === undefined) return;
    if (release === undefined) {
      this.#leaveOut("not_replayed");
      return;
    }
    const other = this.#releaseOf(entry, intent);
    if ("cause" in other) {
      this.#leaveOut(other.cause);
      return;
    }
    this.#compare(intent, release.decision, other.release.decision, place, true);
    if (release.decision.outcome === "deny" || other.release.decision.outcome === "deny") return;
    if (canonicalJson(changesOf(release)) === canonicalJson(changesOf(other.release))) return;
    const { decision } = other.release;
    this.#add("transforms", intent, release.decision, decision, place, true);
  }

  #releaseOf(entry: ToolEntry, intent: Intent): ReturnType<typeof judgeRecordedRelease> {
    // Without output rules everything is let out, also what was not written down.
    if (entry.output === undefined) return { release: decideRelease(undefined, undefined) };
    return judgeRecordedRelease(this.#against.plan, intent.inputs);
  }

  ended({ intent }: RunningCall, success: boolean, judged: boolean): void {
    const entry = this.#allowed.get(intent);
    // The other policy has output rules where the recorded one has none: what they would say is not known.
    if (success && !judged && entry?.output !== undefined) this.#leaveOut("output_withheld");
  }

  #compare(intent: Intent, before: Decision, after: Decision, place: Place, release: boolean): void {
    this.#compared += 1;
    const kind = kindOfChange(before, after);
    if (kind !== undefined) this.#add(kind, intent, before, after, place, release);
  }

  #add(
    kind: Parameters<ChangeList["add"]>[0]["kind"],
    { tool, principal, roles }: Intent,
    before: Decision,
    after: Decision,
    { index, correlationId }: Place,
    release: boolean,
  ): void {
    this.list.add({
      kind,
      release,
      index,
      correlationId,
      tool,
      user: typeof principal === "string" ? principal : undefined,
      roles: roles.filter((role): role is string => typeof role === "string"),
      before: answerOf(before),
      after: answerOf(after),
    });
  }

  #leaveOut(cause: NotComparedCause): void {
    this.#causes.set(cause, (this.#causes.get(cause) ?? 0) + 1);
  }
}

function changesOf({ transforms }: Release): { readonly path: string; readonly action: string }[] {
  return transforms.map(({ path, action }) => ({ path, action }));
}
