import type { CallEnding, CallRecord, ChainPosition, RecordWriter } from "d2-core";
import type { Session } from "d2-core/call";
import { atProcessEnd } from "../setup/process-end.js";
import { type LogEntry, linesOf } from "./log-entry.js";
import { LogReport } from "./log-report.js";
import type { DecisionLogSettings, DecisionLogState, Kept, WhenFull } from "./log-settings.js";
import type { DecisionSink } from "./sink.js";

/** Records that are written in one go, so that the event loop is not held up for long. */
const BATCH = 256;
/** Milliseconds until writing is tried again after it has failed. */
const RETRY = 1000;

/** Lines that are made and not written. */
interface Unwritten {
  readonly lines: string;
  readonly head: ChainPosition;
}

/**
 * The queue before a sink: takes records during calls, and writes them afterwards, in order. With `sync` it writes them
 * at once, and says whether that has worked.
 */
export class DecisionLog {
  readonly #sink: DecisionSink;
  readonly #writer: RecordWriter;
  readonly #sync: boolean;
  readonly #limit: number;
  readonly #whenFull: WhenFull;
  readonly #report: LogReport;
  #queue: LogEntry[] = [];
  #scheduled = false;
  #unwritten: Unwritten | undefined;
  /** Set while a sink that answers with a promise writes. */
  #writing: Promise<void> | undefined;
  readonly #sessions = new WeakSet<Session>();
  #calls: number;
  /** Calls lost since the last one that was accepted. */
  #gap = 0;
  /** Set while writing fails, until it is tried again. */
  #failing = false;
  #closed = false;
  readonly #callOffEnd: () => void;

  constructor(settings: DecisionLogSettings, writer: RecordWriter) {
    this.#sink = settings.sink;
    this.#writer = writer;
    this.#sync = settings.sync;
    this.#limit = settings.limit;
    this.#whenFull = settings.whenFull;
    this.#report = new LogReport(settings.logger, settings.sink.stream);
    this.#calls = writer.position.calls;
    this.#callOffEnd = atProcessEnd("exit", () => this.#drainAll());
  }

  get stream(): string {
    return this.#sink.stream;
  }

  get state(): DecisionLogState {
    return {
      stream: this.stream,
      calls: this.#calls,
      lost: this.#report.lost,
      waiting: this.#queue.length,
      failures: this.#report.failures,
    };
  }

  /** Whether a call that cannot be recorded is denied. */
  get denies(): boolean {
    return this.#whenFull === "deny";
  }

  /** Whether there is room for another call; false: it cannot be recorded. */
  hasRoom(): boolean {
    if (this.#closed) return false;
    if (this.#queue.length < this.#limit) return true;
    if (this.#whenFull === "block") this.#drainAll();
    return this.#queue.length < this.#limit;
  }

  /** The number of a call that is about to be recorded. */
  nextNumber(): number {
    if (this.#gap > 0) {
      this.#push({ kind: "lost", number: this.#calls - this.#gap + 1, count: this.#gap });
      this.#gap = 0;
    }
    this.#calls += 1;
    return this.#calls;
  }

  /** Notes that a call is not recorded, and answers with what stands in place of its correlation id. */
  lose(): string {
    this.#calls += 1;
    this.#gap += 1;
    this.#report.losing();
    return `${this.stream}:lost:${this.#calls - this.#gap + 1}`;
  }

  /** Takes the record of a decision. */
  decided(record: CallRecord): Kept {
    return this.#take({ kind: "decided", record });
  }

  /** Takes the end of a call. */
  ended(record: CallRecord, ending: CallEnding): Kept {
    return this.#closed ? "kept" : this.#take({ kind: "ended", record, ending });
  }

  /** Makes a session known, so that its end is recorded. False: it was known. */
  meets(session: Session): boolean {
    if (this.#sessions.has(session)) return false;
    this.#sessions.add(session);
    session.onClose(() => {
      if (!this.#closed) this.#push({ kind: "session", session });
    });
    return true;
  }

  /** Keeps the text of a policy, so that what it decides can be replayed. */
  keepPolicy(digest: string, text: string, format: "yaml" | "json"): void {
    try {
      this.#sink.keepPolicy?.(digest, text, format);
    } catch {
      this.#report.tell("cannot keep the policy: keep its text elsewhere to replay the log");
    }
  }

  /**
   * Writes what waits and makes sure that it survives a loss of power.
   *
   * @throws (as a rejection) what the sink throws
   */
  async flush(): Promise<void> {
    while (this.#queue.length > 0 || this.#unwritten !== undefined) {
      this.#drain(Number.POSITIVE_INFINITY);
      if (this.#writing !== undefined) await this.#writing;
      else if (this.#unwritten !== undefined) throw new Error("the decision log could not be written");
    }
    await this.#sink.sync();
  }

  /** Writes what waits and ends the log. A failure is reported, not thrown. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#callOffEnd();
    if (this.#gap > 0)
      this.#queue.push({ kind: "lost", number: this.#calls - this.#gap + 1, count: this.#gap });
    try {
      await this.flush();
    } catch {
      this.#report.tell("ends with records that could not be written");
    }
    try {
      await this.#sink.close();
    } catch {
      this.#report.tell("could not be closed");
    }
  }

  #take(entry: LogEntry): Kept {
    if (this.#sync) return this.#writeNow(entry);
    this.#push(entry);
    return "kept";
  }

  #push(entry: LogEntry): void {
    this.#queue.push(entry);
    if (!this.#scheduled && !this.#failing) this.#schedule();
  }

  #schedule(): void {
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#drain(BATCH);
      if (this.#queue.length > 0 && !this.#failing && this.#writing === undefined) this.#schedule();
    });
  }

  /** Writes one record, and everything before it, while the caller waits. */
  #writeNow(entry: LogEntry): Kept {
    this.#drainAll();
    if (this.#queue.length > 0 || this.#unwritten !== undefined) return this.#giveUp(entry);
    const before = this.#writer.position;
    try {
      const lines = linesOf(entry, this.#writer);
      if (this.#sink.append(lines, this.#writer.position) instanceof Promise) throw new Error("no waiting");
    } catch (error) {
      // The lines are not there, so the chain goes on as if they had never been made.
      this.#writer.restore(before);
      this.#failed(error);
      return this.#giveUp(entry);
    }
    try {
      if (this.#sink.sync() instanceof Promise) throw new Error("no waiting");
    } catch (error) {
      this.#failed(error);
      return "unsafe";
    }
    this.#recovered();
    return "kept";
  }

  #giveUp(entry: LogEntry): Kept {
    if (entry.kind === "decided") {
      this.#gap += 1;
      this.#report.losing();
    }
    return "lost";
  }

  /** Writes all that waits, as far as that goes without waiting. */
  #drainAll(): void {
    while (this.#queue.length > 0 || this.#unwritten !== undefined) {
      const before = this.#queue.length;
      this.#drain(Number.POSITIVE_INFINITY);
      if (this.#writing !== undefined || this.#queue.length === before) return;
    }
  }

  #drain(most: number): void {
    if (this.#writing !== undefined) return;
    if (this.#unwritten === undefined) {
      if (this.#queue.length === 0) return;
      const batch = this.#queue.length <= most ? this.#queue : this.#queue.slice(0, most);
      this.#queue = batch === this.#queue ? [] : this.#queue.slice(most);
      let lines = "";
      for (const entry of batch) lines += this.#encode(entry);
      this.#unwritten = { lines, head: this.#writer.position };
    }
    const { lines, head } = this.#unwritten;
    try {
      const answer = this.#sink.append(lines, head);
      if (answer === undefined) this.#written();
      else this.#await(answer);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** INVARIANT: nothing that is thrown here gets out, for there is no call left that it could be told to. */
  #encode(entry: LogEntry): string {
    const before = this.#writer.position;
    try {
      return linesOf(entry, this.#writer);
    } catch {
      // What could not be written down is missing in the log, which a verifier sees by its number.
      this.#writer.restore(before);
      this.#report.losing();
      return "";
    }
  }

  #await(answer: Promise<void>): void {
    this.#writing = answer.then(
      () => {
        this.#writing = undefined;
        this.#written();
        if (this.#queue.length > 0 && !this.#scheduled) this.#schedule();
      },
      (error: unknown) => {
        this.#writing = undefined;
        this.#failed(error);
      },
    );
  }

  #written(): void {
    this.#unwritten = undefined;
    this.#recovered();
  }

  #failed(error: unknown): void {
    this.#report.failed(error);
    if (this.#failing) return;
    this.#failing = true;
    setTimeout(() => this.#retry(), RETRY).unref();
  }

  #retry(): void {
    this.#failing = false;
    if (this.#queue.length === 0 && this.#unwritten === undefined) return;
    this.#drain(BATCH);
    if (this.#queue.length > 0 && !this.#scheduled && !this.#failing) this.#schedule();
  }

  #recovered(): void {
    this.#failing = false;
    this.#report.written();
  }
}
