import type { RecordContext } from "d2-core";
import type { CallVerdict, Decision } from "d2-core/call";
import type { ActingUser } from "../context/scope.js";
import type { Recording, Ticket } from "../log/recorder.js";

/** The policy that a call was judged by, as far as telemetry tells of it. */
export interface PolicyIdentity {
  /** `metadata.name`; undefined: there is no policy. */
  readonly service: string | undefined;
  /** As the control plane calls this state of the bundle. */
  readonly etag: string | undefined;
}

/** How a call ended: it was answered, its answer was refused, or it threw. */
export type CallStatus = "success" | "denied" | "error";

/** A tool's output rules as they were used. */
export interface ReleaseFacts {
  /** Undefined: nothing was refused. */
  readonly denial: Decision | undefined;
  /** Paths as the rules have them, with the action that changed something there. */
  readonly transforms: readonly { readonly path: string; readonly action: string }[];
  /** Milliseconds that judging took. */
  readonly milliseconds: number;
  /** Instant at which it was over, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * One guarded call as telemetry sees it; the guard carries it from the decision to the end.
 *
 * INVARIANT: holds no argument, no output and no error of the call, nor anything made of one.
 */
export class Observation implements Ticket {
  readonly recorder: Recording;
  /** What the decision log, where there is one, was handed for this call. */
  readonly logContext: RecordContext | undefined;
  /** Milliseconds, from `performance.now`: when judging began and ended. */
  readonly began: number;
  decided = 0;
  /** When judging ended, in milliseconds since 1970. */
  at = 0;
  tool = "";
  user: ActingUser | undefined = undefined;
  decision: Decision;
  entry: CallVerdict["entry"] = undefined;
  policy: PolicyIdentity;
  /** How many calls the session had before. */
  depth = 0;
  /** The call before this one in the session. */
  source: string | undefined = undefined;
  /** `source` and this tool, a line break between. */
  pair: string | undefined = undefined;
  /** Whether `source` and this tool follow each other for the first time in the session. */
  newPair = false;
  /** Of a denial by history: the tools called before; by facts: the facts. As they were then. */
  evidence: readonly string[] | undefined = undefined;
  /** The log's own ticket. */
  logged: Ticket | undefined = undefined;
  correlationId: string | undefined = undefined;
  refusal: Decision | undefined = undefined;
  /** When the function was through, from `performance.now`; only where its output is judged. */
  through = 0;
  status: CallStatus = "success";
  execMs = 0;
  release: ReleaseFacts | undefined = undefined;

  constructor(
    recorder: Recording,
    logContext: RecordContext | undefined,
    decision: Decision,
    policy: PolicyIdentity,
  ) {
    this.recorder = recorder;
    this.logContext = logContext;
    this.decision = decision;
    this.policy = policy;
    this.began = performance.now();
  }

  /** Told when the function is through and its output is about to be judged. */
  returned(): void {
    this.through = performance.now();
  }

  /** Milliseconds that the decision took. */
  get decisionMs(): number {
    return this.decided - this.began;
  }
}

/** Whoever is told of calls. Both methods are called within the call, so they keep what they are given and return. */
export interface CallObserver {
  decided(call: Observation): void;
  ended(call: Observation): void;
}
