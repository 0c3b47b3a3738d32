import {
  BadInputs,
  canonicalJson,
  D2Error,
  type Decision,
  digest,
  encodeTagged,
  judgeRecorded,
  judgeRecordedRelease,
  type RecordedVerdict,
  type Release,
  Session,
  type ToolEntry,
} from "d2-core";
import type { Place, StepReader } from "./audit.js";
import type { CallIntent, Gate, Intent } from "./event.js";
import type { FindingReason, Findings } from "./finding.js";
import type { Step } from "./ledger.js";
import { PolicyShelf, type ReplayPolicy } from "./policy-shelf.js";
import { Rebuilder } from "./rebuild.js";
import { compareHistory, isPolicyOf, takeFacts } from "./replay-checks.js";
import type { ReplayOptions } from "./replay-options.js";
import { ReplayTally } from "./replay-tally.js";
import { endCall, type RunningCall, RunningCalls } from "./running-calls.js";
import { type Followed, SessionBook } from "./session-book.js";

type Decided = Step & { readonly form: "decided" };
type JudgedCall = Extract<RecordedVerdict, { readonly decision: Decision }>;
type Released = Step & { readonly form: "released" };

/** Who is told of decisions that were taken again, and of the calls that go on. */
export interface ReplayWatcher {
  /**
   * A call was decided as recorded. `decision` is absent where it could not be taken again, or was another.
   *
   * @param enclosing id of the enclosing call in the family of shadows
   */
  decided(
    intent: CallIntent,
    followed: Followed | undefined,
    enclosing: number,
    decision: Decision | undefined,
    place: Place,
  ): void;
  /** A call that was allowed begins. */
  began(running: RunningCall): void;
  /** A release was decided as recorded. */
  released(running: RunningCall, intent: Intent, release: Release | undefined, place: Place): void;
  /** A call ended. `judged`: with a decision on its release. */
  ended(running: RunningCall, success: boolean, judged: boolean): void;
}

const MAX_SESSIONS = 100_000;
const MAX_RUNNING = 100_000;

/** Takes the decisions of a log again. Never uses anything of a recorded DECISION but what happened after it. */
export class Replay implements StepReader {
  readonly tally = new ReplayTally();
  readonly #findings: Findings;
  readonly #shelf: PolicyShelf;
  readonly #book: SessionBook;
  readonly #watcher: ReplayWatcher | undefined;
  readonly #partial: boolean;
  readonly #running: RunningCalls;
  readonly #rebuilder = new Rebuilder();
  /** The call that was executed last: its release may come next. */
  #executed: { readonly running: RunningCall; readonly success: boolean; asked: boolean } | undefined;
  /** What the next PROOF of a release must say. */
  #letOut: Release | undefined;

  constructor(options: ReplayOptions, findings: Findings, watcher?: ReplayWatcher) {
    this.#findings = findings;
    this.#watcher = watcher;
    this.#shelf = new PolicyShelf(options.policies, findings);
    this.#book = new SessionBook(options.maxSessions ?? MAX_SESSIONS, watcher !== undefined);
    this.#running = new RunningCalls(options.maxOpenCalls ?? MAX_RUNNING);
    this.#partial = (options.from?.index ?? 0) > 0;
  }

  get forgottenSessions(): number {
    return this.#book.forgotten;
  }

  step(step: Step, place: Place): void | Promise<void> {
    const letOut = this.#letOut;
    this.#letOut = undefined;
    if (step.form !== "released" && step.form !== "asked") this.end();
    switch (step.form) {
      case "decided": {
        const policy = this.#shelf.find(step.intent.policy.policyDigest);
        if (!(policy instanceof Promise)) return this.#decided(step, place, policy);
        return policy.then((found) => this.#decided(step, place, found));
      }
      case "executed": {
        const running = this.#running.take(step.key.number);
        if (running !== undefined) this.#executed = { running, success: step.success, asked: false };
        return undefined;
      }
      case "asked":
        if (this.#executed !== undefined) this.#executed.asked = true;
        return undefined;
      case "released":
        return this.#released(step, place);
      case "let_out":
        if (letOut === undefined || this.#letsOut(letOut, step)) return undefined;
        return this.#find("wrong_release", place, "what was released is not what the policy lets out");
      case "session_end":
        if (this.#book.end(step.session) || this.#partial || this.#book.forgotten > 0) return undefined;
        return this.#find("unknown_session", place, "a session ends that does not go on");
      case "lost":
        return undefined;
    }
  }

  /** Ends the call that was executed last, without a release. Also called when the log is over. */
  end(): void {
    const executed = this.#executed;
    this.#executed = undefined;
    if (executed === undefined) return;
    const { running, success, asked } = executed;
    const missing = success && (asked || running.entry?.output !== undefined);
    if (missing) this.tally.missingReleases += 1;
    endCall(running, success && !missing);
    this.#watcher?.ended(running, success, false);
  }

  #decided({ key, intent, gate }: Decided, place: Place, policy: ReplayPolicy | undefined): void {
    const followed = intent.principal === undefined ? undefined : this.#book.of(key.prefix, intent.around);
    const outer = this.#running.enclosing(intent);
    const verdict = this.#judge(intent, gate, place, policy, followed, outer?.id ?? 0);
    let decision: Decision | undefined;
    if (verdict !== undefined && policy !== undefined) {
      if (this.#matches(verdict.decision, gate, intent, place, policy)) decision = verdict.decision;
    }
    this.#watcher?.decided(intent, followed, outer?.shadowId ?? 0, decision, place);
    if (!gate.allow || followed === undefined) return;
    const entry = verdict?.entry ?? entryOf(policy, intent);
    const running = this.#running.begin(key.number, { followed, intent, policy, entry }, outer);
    this.#watcher?.began(running);
  }

  /** The decision on a call, taken again. `undefined`: it cannot be, which has been counted. */
  #judge(
    intent: CallIntent,
    gate: Gate,
    place: Place,
    policy: ReplayPolicy | undefined,
    followed: Followed | undefined,
    enclosing: number,
  ): JudgedCall | undefined {
    const history = compareHistory(intent, followed);
    if (!takeFacts(intent, followed)) {
      this.#find(
        "missing_facts",
        place,
        "labels that the session must have are not among the recorded facts",
      );
    }
    if (policy === undefined) return this.tally.notReplayable("policy_missing");
    if (!isPolicyOf(intent, policy)) {
      this.#find("wrong_policy", place, "the call names a policy otherwise than the policy of that digest");
    }
    if (history === "wrong") {
      this.#find("wrong_history", place, "the recorded history has not the calls that the log shows");
      return this.tally.contradicted();
    }
    if (history === "incomplete") {
      return this.tally.notReplayable(
        followed?.mayBeForgotten === true ? "session_forgotten" : "history_incomplete",
      );
    }
    try {
      const session = followed?.session ?? new Session();
      const verdict = judgeRecorded(policy.plan, intent.inputs, session, enclosing);
      if ("decision" in verdict) return verdict;
      return this.tally.notReplayable(gate.reason === "evaluation_error" ? gate.reason : verdict.cause);
    } catch (error) {
      return this.#unreadable(error, place);
    }
  }

  /** Whether a decision that was taken again is, to the byte, the recorded one. */
  #matches(
    decision: Decision,
    gate: Gate,
    { tenant }: Intent,
    place: Place,
    { identity }: ReplayPolicy,
  ): boolean {
    const digest = this.#rebuilder.digest(place.correlationId, decision, identity, tenant);
    if (digest === place.digest) {
      this.tally.replayed(digest, true);
      return true;
    }
    if (gate.reason === "evaluation_error" && decision.reason !== "evaluation_error") {
      this.tally.notReplayable("evaluation_error");
      return false;
    }
    this.tally.replayed(digest, false);
    this.#findings.add({
      reason: "wrong_decision",
      line: place.line,
      index: place.index,
      correlationId: place.correlationId,
      message: "the recorded decision does not follow from the recorded inputs under the policy",
      recorded: `${gate.allow ? "ALLOW" : "DENY"} ${gate.reason}`,
      derived: `${decision.outcome === "allow" ? "ALLOW" : "DENY"} ${decision.reason}`,
    });
    return false;
  }

  #released({ intent, gate }: Released, place: Place): void {
    const executed = this.#executed;
    this.#executed = undefined;
    if (executed === undefined) return;
    const { running, success } = executed;
    const release = this.#judgeRelease(running, intent, gate, success, place);
    this.#watcher?.released(running, intent, release, place);
    endCall(running, success && gate.allow);
    this.#watcher?.ended(running, success, true);
  }

  /** The release, where it was taken again and is the recorded one. */
  #judgeRelease(
    { policy, entry }: RunningCall,
    intent: Intent,
    gate: Gate,
    success: boolean,
    place: Place,
  ): Release | undefined {
    if ((intent.extensions["ending"] === "thrown") === success || (gate.allow && !success)) {
      this.#find("wrong_release", place, "a release does not fit how its call ended");
    } else if (entry !== undefined && entry.output === undefined) {
      this.#find(
        "wrong_release",
        place,
        "a value was judged although the policy has no output rules for the tool",
      );
    }
    if (policy === undefined) return this.tally.notReplayable("policy_missing");
    try {
      const verdict = judgeRecordedRelease(policy.plan, intent.inputs);
      if ("cause" in verdict) return this.tally.notReplayable(verdict.cause);
      const { release } = verdict;
      if (!this.#matches(release.decision, gate, intent, place, policy)) return undefined;
      this.#letOut = release;
      return release;
    } catch (error) {
      return this.#unreadable(error, place);
    }
  }

  #letsOut({ transforms, value }: Release, step: Step & { readonly form: "let_out" }): boolean {
    const changes = transforms.map(({ path, action }) => ({ action, path: encodeTagged(path) }));
    if (canonicalJson(changes) !== step.transforms) return false;
    // Without a change it is the output itself, which the ledger has held against the EXECUTION's.
    return transforms.length === 0 || digest(encodeTagged(value)) === step.releasedDigest;
  }

  #unreadable(error: unknown, place: Place): undefined {
    // Inputs that are not in the form of a guard's: everything else that is thrown is a fault of this program.
    if (!(error instanceof BadInputs) && !(error instanceof D2Error)) throw error;
    this.#find("unreadable_inputs", place, "the inputs are not in the encoding of a guard");
    return this.tally.contradicted();
  }

  #find(reason: FindingReason, { line, index, correlationId }: Place, message: string): undefined {
    this.#findings.add({ reason, line, index, correlationId, message });
  }
}

function entryOf(policy: ReplayPolicy | undefined, { roles, tool }: Intent): ToolEntry | undefined {
  if (!roles.every((role) => typeof role === "string")) return undefined;
  return policy?.plan?.view(roles).entry(tool);
}
