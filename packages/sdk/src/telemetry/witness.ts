import { ALLOW, type CallVerdict, type Decision } from "d2-core/call";
import type { ActingUser, Scope } from "../context/scope.js";
import type { Ending, RecordedTool, Recorder, Recording, Ticket } from "../log/recorder.js";
import { type CallObserver, Observation, type PolicyIdentity, type ReleaseFacts } from "./observation.js";
import { SessionTrace } from "./session-trace.js";

const NO_TRANSFORMS: ReleaseFacts["transforms"] = Object.freeze([]);

/**
 * Stands where the decision log stands, and tells observers of each call besides. So the guard has one thing to ask
 * for, and an instance without log and telemetry has none.
 */
export class Witness implements Recording {
  readonly #observers: readonly CallObserver[];
  readonly #recorder: Recorder | undefined;
  readonly #clock: () => number;
  /** The policy that calls are judged by from now on. */
  policy: PolicyIdentity = { service: undefined, etag: undefined };

  /** @param clock milliseconds since 1970; must not throw */
  constructor(observers: readonly CallObserver[], recorder: Recorder | undefined, clock: () => number) {
    this.#observers = observers;
    this.#recorder = recorder;
    this.#clock = clock;
  }

  get context(): Observation {
    return new Observation(this, this.#recorder?.context, ALLOW, this.policy);
  }

  decided(
    call: Observation,
    tool: RecordedTool,
    user: ActingUser | undefined,
    scope: Scope | undefined,
    verdict: CallVerdict,
    args: readonly unknown[],
    strictSync = false,
  ): Ticket | Decision {
    call.decided = performance.now();
    let denial: Decision | undefined;
    const recorder = this.#recorder;
    if (recorder !== undefined && call.logContext !== undefined) {
      const answer = recorder.decided(call.logContext, tool, user, scope, verdict, args, strictSync);
      if ("outcome" in answer) denial = answer;
      else {
        call.logged = answer;
        call.correlationId = answer.correlationId;
        call.refusal = answer.refusal;
      }
    }
    try {
      this.#describe(call, tool.id, user, verdict, denial ?? call.refusal ?? verdict.decision);
      for (const observer of this.#observers) observer.decided(call);
    } catch {
      // INVARIANT: whatever telemetry fails at, the call does not notice.
    }
    return denial ?? call;
  }

  ended(call: Observation, ending: Ending): Decision | undefined {
    const now = performance.now();
    const { logged } = call;
    const unrecorded = logged?.recorder.ended(logged, ending);
    // What the log has refused before the function ran has been told as a denial, and did not run.
    if (call.refusal !== undefined) return unrecorded;
    try {
      this.#conclude(call, ending, now, unrecorded);
      for (const observer of this.#observers) observer.ended(call);
    } catch {
      // The same.
    }
    return unrecorded;
  }

  #describe(
    call: Observation,
    tool: string,
    user: ActingUser | undefined,
    { entry }: CallVerdict,
    decision: Decision,
  ): void {
    call.at = this.#clock();
    call.tool = tool;
    call.user = user;
    call.decision = decision;
    call.entry = entry;
    if (user === undefined) return;
    user.trace ??= new SessionTrace();
    const { session, trace } = user;
    call.depth = session.length;
    call.source = trace.last;
    if (decision.outcome === "allow") {
      if (call.source !== undefined) {
        call.pair = trace.pairOf(call.source, tool);
        call.newPair = trace.meets(call.pair);
      }
      trace.add(tool);
    } else if (decision.reason === "sequence_violation") call.evidence = trace.recent;
    else if (decision.reason === "data_flow_violation") call.evidence = [...session.facts];
  }

  #conclude(call: Observation, ending: Ending, now: number, unrecorded: Decision | undefined): void {
    const { success, release } = ending;
    const denied = release?.decision.outcome === "deny" ? release.decision : undefined;
    const denial = unrecorded ?? denied;
    call.status = denial !== undefined ? "denied" : success ? "success" : "error";
    const through = call.through === 0 ? now : call.through;
    call.execMs = through - call.decided;
    if (release === undefined && denial === undefined) return;
    call.release = {
      denial,
      transforms: release?.transforms ?? NO_TRANSFORMS,
      milliseconds: now - through,
      at: this.#clock(),
    };
  }
}
