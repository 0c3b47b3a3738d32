import type { CallEnding, CallRecord, capture, RecordContext } from "d2-core";
import {
  type CallVerdict,
  type Decision,
  deny,
  type ParameterNames,
  type PolicyState,
  type Release,
} from "d2-core/call";
import { type ActingUser, type Scope, ticketOf } from "../context/scope.js";
import { nodeCrypto } from "../setup/node-crypto.js";
import type { DecisionLog } from "./decision-log.js";

/** What a record says of a tool. */
export interface RecordedTool {
  readonly id: string;
  readonly names: ParameterNames | undefined;
}

/** What a guard carries from the decision on a call to its end, where calls are recorded or observed. */
export interface Ticket {
  readonly recorder: Recording;
  /** Of the call's record; undefined: there is no log. */
  readonly correlationId: string | undefined;
  /** The call is refused with this, although the log has its decision. */
  readonly refusal: Decision | undefined;
  /** To be told when the function is through and its output is about to be judged. */
  readonly returned?: (() => void) | undefined;
}

/** A recorded call that is running. */
export interface LogTicket extends Ticket {
  /** `undefined`: there was no room for it. */
  readonly record: CallRecord | undefined;
  readonly correlationId: string;
  /** Milliseconds, from `performance.now`. */
  readonly began: number;
}

/**
 * What a guard tells of its calls. It hands each of the two methods what it was given before: the `context`, which is
 * to be read right before a call is judged, and the ticket.
 */
export interface Recording {
  readonly context: object;
  /** @returns the ticket of the call, or the denial that takes the decision's place because it could not be recorded */
  decided(
    context: object,
    tool: RecordedTool,
    user: ActingUser | undefined,
    scope: Scope | undefined,
    verdict: CallVerdict,
    args: readonly unknown[],
    strictSync?: boolean,
  ): Ticket | Decision;
  /** @returns the denial: the call's value must not leave, because its end could not be recorded */
  ended(ticket: Ticket, ending: Ending): Decision | undefined;
}

/** How a call ended, as the guard tells it. */
export interface Ending {
  readonly success: boolean;
  readonly output?: unknown;
  readonly thrown?: unknown;
  readonly release?: (Release & { readonly ending: "returned" | "thrown" | "stream" }) | undefined;
}

/** The decision on a call that could not be recorded, where the user has chosen that such calls are denied. */
export const NOT_RECORDED: Decision = deny("evaluation_error", "none", { detail: "decision_log" });

const NO_FACTS: readonly string[] = Object.freeze([]);

/** Puts the calls of one instance into a decision log. */
export class Recorder implements Recording {
  readonly log: DecisionLog;
  readonly #capture: typeof capture;
  /** Whose decisions the next ones are. */
  context: RecordContext;

  constructor(log: DecisionLog, context: RecordContext, copy: typeof capture) {
    this.log = log;
    this.context = context;
    this.#capture = copy;
  }

  /**
   * Records what was decided about a call. Runs none of the caller's code.
   *
   * @returns the ticket of the call, or the denial that takes the decision's place because it could not be recorded
   */
  decided(
    context: RecordContext,
    tool: RecordedTool,
    user: ActingUser | undefined,
    scope: Scope | undefined,
    verdict: CallVerdict,
    args: readonly unknown[],
    strictSync = false,
  ): LogTicket | Decision {
    const { log } = this;
    const { decision } = verdict;
    if (!log.hasRoom()) return this.#unrecorded();
    const around = user === undefined ? undefined : this.#meet(user);
    const record: CallRecord = {
      context,
      number: log.nextNumber(),
      state: stateOf(decision),
      tool: tool.id,
      names: tool.names,
      args: this.#captureAll(verdict.args ?? args),
      user,
      historyLength: user === undefined ? 0 : user.session.length,
      facts: user === undefined || user.session.facts.size === 0 ? NO_FACTS : [...user.session.facts],
      within: ticketOf(scope)?.correlationId,
      around,
      strictSync,
      decision,
    };
    const kept = log.decided(record);
    if (kept === "lost" && log.denies) return NOT_RECORDED;
    const refusal = kept === "unsafe" && log.denies ? NOT_RECORDED : undefined;
    const correlationId = `${user?.session.id ?? log.stream}:${record.number}`;
    return { recorder: this, record, correlationId, began: performance.now(), refusal };
  }

  /** Records how a call ended. The denial: its value must not leave, because that could not be recorded. */
  ended({ record, began }: LogTicket, ending: Ending): Decision | undefined {
    if (record === undefined) return undefined;
    const durationNs = Math.round((performance.now() - began) * 1e6);
    const { success, release } = ending;
    const full = record.context.level === "full";
    const kept: CallEnding = {
      success,
      output: this.#capture(ending.output),
      durationNs,
      error: full && !success && ending.thrown instanceof Error ? textOf(ending.thrown) : undefined,
      release: release === undefined ? undefined : { ...release, value: this.#capture(release.value) },
    };
    return this.log.ended(record, kept) !== "kept" && this.log.denies ? NOT_RECORDED : undefined;
  }

  #unrecorded(): LogTicket | Decision {
    const correlationId = this.log.lose();
    if (this.log.denies) return NOT_RECORDED;
    return { recorder: this, record: undefined, correlationId, began: 0, refusal: undefined };
  }

  #captureAll(args: readonly unknown[]): readonly unknown[] {
    if (args.length === 1) return [this.#capture(args[0])];
    return args.map((arg) => this.#capture(arg));
  }

  /** Makes a session known to the log, with those that it was begun inside of: they must be told apart and followed. */
  #meet(user: ActingUser): CallRecord["around"] {
    const { session } = user;
    if (user.log === this.log) return undefined;
    user.log = this.log;
    if (!this.log.meets(session)) return undefined;
    const around: { id: string; mirrored: boolean }[] = [];
    session.id ??= nodeCrypto().randomUUID();
    for (let inner = session, outer = inner.outer; outer !== undefined; inner = outer, outer = inner.outer) {
      outer.id ??= nodeCrypto().randomUUID();
      this.log.meets(outer);
      around.push({ id: outer.id, mirrored: inner.mirrored });
    }
    return around.length === 0 ? undefined : around;
  }
}

function stateOf({ reason }: Decision): PolicyState {
  if (reason === "policy_expired") return "expired";
  return reason === "policy_unavailable" ? "unavailable" : "current";
}

/** The message of an error, if reading it is all that reading it does. */
function textOf(error: Error): string | undefined {
  const message = Object.getOwnPropertyDescriptor(error, "message");
  return typeof message?.value === "string" ? message.value : undefined;
}
