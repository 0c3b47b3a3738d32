import type { DblEvent } from "./dbl-event.js";
import { GateDecision } from "./gate-decision.js";

/** How far a chain of events has come. */
export type Phase = "EMPTY" | "INTENTED" | "DENIED" | "ALLOWED" | "EXECUTED" | "PROVEN" | "INVALID";

/** The same as a runner sees it: executed and proven are both the end. */
export type RunnerStatus = Exclude<Phase, "EXECUTED" | "PROVEN"> | "FINALIZED";

export interface Projection {
  readonly phase: Phase;
  readonly runnerStatus: RunnerStatus;
  /** Index of the last event; null when there is none. */
  readonly tIndex: number | null;
}

/**
 * What a stream of events amounts to. Goes by order alone and not by correlation ids: where chains interleave, pass the
 * events of one of them. The latest DECISION after the last INTENT counts, and must hold a `GateDecision`.
 */
export function projectState(events: Iterable<DblEvent>): Projection {
  const list = [...events];
  const phase = phaseOf(list);
  const runnerStatus = phase === "EXECUTED" || phase === "PROVEN" ? "FINALIZED" : phase;
  return Object.freeze({ phase, runnerStatus, tIndex: list.length === 0 ? null : list.length - 1 });
}

/** What the events say, whatever chain they are of. */
function phaseOf(events: readonly DblEvent[]): Phase {
  const [first] = events;
  if (first === undefined) return "EMPTY";
  if (first.eventKind !== "INTENT") return "INVALID";
  const since = events.slice(events.findLastIndex(({ eventKind }) => eventKind === "INTENT") + 1);
  const decided = since.findLastIndex(({ eventKind }) => eventKind === "DECISION");
  const executed = since.findLastIndex(({ eventKind }) => eventKind === "EXECUTION");
  if (decided < 0) return executed < 0 ? "INTENTED" : "INVALID";
  const decision = since[decided]?.data;
  if (!GateDecision.is(decision)) return "INVALID";
  if (decision.decision === "DENY") return executed > decided ? "INVALID" : "DENIED";
  if (executed < decided) return "ALLOWED";
  const proven = since.findLastIndex(({ eventKind }) => eventKind === "PROOF");
  return proven > executed ? "PROVEN" : "EXECUTED";
}
