import { type ChainPosition, NOTHING_BEFORE, sha256Hex } from "d2-core";
import {
  type CanonicalText,
  hasKeys,
  isJsonMapping,
  type JsonMapping,
  readCanonical,
} from "./canonical-line.js";
import type { LogEvent } from "./event.js";
import { type FindingReason, Findings } from "./finding.js";
import { type Head, HeadWatch, type VerifySignature } from "./heads.js";
import { Ledger, type Step } from "./ledger.js";
import { chunksOf, DEFAULT_MAX_LINE, LineReader, type LogSource } from "./lines.js";
import { readEvent } from "./read-event.js";
import { Tally } from "./tally.js";
import type { VerifyOptions, VerifyResult } from "./verify-options.js";

/** Where a line is, for findings about it. */
export interface Place {
  readonly line: number;
  readonly index: number;
  readonly correlationId: string;
  /** Digest of the line's event as the line gives it. */
  readonly digest: string;
}

/** Who is told of the steps of a log. What a promise stands for must be over before the next step comes. */
export interface StepReader {
  step(step: Step, place: Place): void | Promise<void>;
  /** Told when the log is over. */
  end(): void;
}

const NO_HEADS: readonly Head[] = [];
const LINE_KEYS = ["digest", "event", "index", "v"];
const BESIDE_KEYS = ["observational", "trace"];
const EVENT_KEYS = ["correlation_id", "data", "event_kind"];
/** Length of `{"digest":"…","event":` before every event. */
const BEFORE_EVENT = 11 + 64 + 10;
/** Most open calls that are kept when no other limit is given. */
const MAX_OPEN = 100_000;
/** Events between reports of progress when nothing else is said. */
const PROGRESS_EVERY = 100_000;

const TRACES: readonly { readonly text: string; readonly digest: string }[] = [
  '{"failure_code":"OK","success":true}',
  '{"failure_code":"TASK_EXCEPTION","success":false}',
].map((text) => Object.freeze({ text, digest: sha256Hex(text) }));

/** Reads a log once from its beginning to its end, and checks all that can be checked without a policy. */
export class Audit {
  readonly findings: Findings;
  readonly #options: VerifyOptions;
  #reader: StepReader | undefined;
  readonly #ledger: Ledger;
  readonly #heads: HeadWatch;
  readonly #tally = new Tally();
  readonly #position: { index: number; v: string };
  #line = 0;
  #stream: string | undefined;

  constructor(options: VerifyOptions) {
    this.#options = options;
    this.findings = new Findings(options.maxFindings ?? 100);
    const from: ChainPosition = options.from ?? { index: 0, v: NOTHING_BEFORE, calls: 0 };
    this.#position = { index: from.index, v: from.v };
    this.#ledger = new Ledger(from.calls, options.maxOpenCalls ?? MAX_OPEN);
    this.#heads = new HeadWatch(options.heads ?? NO_HEADS, this.findings, from.index);
    this.#stream = options.stream ?? this.#heads.stream;
  }

  /** @throws (as a rejection) what the source or the reader throws, and nothing of its own */
  async run(source: LogSource, reader?: StepReader): Promise<VerifyResult> {
    this.#reader = reader;
    const verifySignature: VerifySignature | undefined = this.#options.verifySignature;
    await this.#heads.verify(verifySignature);
    const lines = new LineReader(this.#options.maxLineLength ?? DEFAULT_MAX_LINE);
    const every = this.#options.progressEvery ?? PROGRESS_EVERY;
    let reportAt = every;
    for await (const chunk of chunksOf(source)) {
      for (const line of lines.read(chunk)) {
        const waiting = this.#readLine(line);
        if (waiting !== undefined) await waiting;
        if (this.#line < reportAt) continue;
        reportAt = this.#line + every;
        this.#options.onProgress?.({ events: this.#tally.events, bytes: lines.bytes });
      }
    }
    reader?.end();
    this.#heads.end();
    const torn = lines.rest;
    return {
      ok: !this.findings.some,
      counts: {
        ...this.#tally.counts,
        calls: this.#ledger.calls - (this.#options.from?.calls ?? 0),
        bytes: lines.bytes,
      },
      unfinished: this.#ledger.unfinished,
      findings: this.findings.first,
      totals: this.findings.totals,
      tornTail: torn === 0 ? undefined : { characters: torn },
      heads: this.#heads.counts,
      // A chain's values are digests, or the line that holds another is a finding.
      position: { ...this.#position, calls: this.#ledger.calls } as ChainPosition,
    };
  }

  #readLine(text: string | undefined): void | Promise<void> {
    this.#line += 1;
    this.#tally.line();
    if (text === undefined) return this.#badLine("line_too_long", "a line is longer than the limit");
    const read = readCanonical(text);
    if (read === "bad_line") return this.#badLine(read, "a line is no JSON");
    if (read === "not_canonical") return this.#badLine(read, "a line is not in canonical form");
    const { value } = read;
    const event = isJsonMapping(value) ? value["event"] : undefined;
    if (!isJsonMapping(value) || !isJsonMapping(event) || !isLine(value, event)) {
      return this.#badLine("wrong_shape", "a line has not the keys of one");
    }
    return this.#readEvent(text, read, value, event);
  }

  #readEvent(
    text: string,
    { write }: CanonicalText,
    { digest, index, v, observational, trace }: JsonMapping,
    event: JsonMapping,
  ): void | Promise<void> {
    const { correlation_id: correlationId, data, event_kind: kind } = event;
    if (typeof digest !== "string" || typeof correlationId !== "string" || typeof kind !== "string")
      return undefined;
    if (typeof index !== "number" || typeof v !== "string" || !isJsonMapping(data)) return undefined;
    const place: Place = { line: this.#line, index: this.#position.index, correlationId, digest };
    const after = text.length - lengthAfter(index, observational, trace, v, write);
    const eventText = text.slice(BEFORE_EVENT, after);
    if (sha256Hex(eventText) !== digest)
      this.#find("wrong_digest", place, "an event's digest is not that of the event");
    this.#chain(place, index, v);
    const found = readEvent({ correlationId, data, kind, observational, trace, write });
    if (found === undefined) {
      this.#find("wrong_shape", place, "an event is none that a guard writes");
      return undefined;
    }
    this.#tally.event(kind, found);
    this.#checkDigests(found, data, trace, write, place);
    this.#checkStream(found, place);
    const entry = this.#ledger.take(found);
    if (entry === "waiting") return undefined;
    if ("fault" in entry) {
      this.#find(entry.fault, place, entry.message);
      return undefined;
    }
    return this.#reader?.step(entry, place);
  }

  /** Checks a line's place in the chain, and goes on from what the line says, so that one fault is found once. */
  #chain(place: Place, index: number, v: string): void {
    const position = this.#position;
    if (index !== position.index)
      this.#find("wrong_index", place, "a line's index does not follow the line before");
    const expected = sha256Hex(`{"digest":"${place.digest}","index":${index},"prev":"${position.v}"}`);
    if (v !== expected) this.#find("wrong_chain", place, "a line does not follow from the line before");
    this.#heads.line(index, v, place.line);
    position.index = index + 1;
    position.v = v;
  }

  #checkDigests(
    found: LogEvent,
    data: JsonMapping,
    trace: unknown,
    write: CanonicalText["write"],
    place: Place,
  ): void {
    switch (found.form) {
      case "call":
      case "release":
        if (sha256Hex(write(found.intent.inputs)) !== data["authoritative_digest"]) {
          this.#find("wrong_inputs", place, "`authoritative_digest` is not that of the inputs");
        }
        return;
      case "execution": {
        const text = write(trace);
        const known = TRACES.find((one) => one.text === text);
        if ((known?.digest ?? sha256Hex(text)) !== data["trace_digest"]) {
          this.#find("wrong_trace", place, "`trace_digest` is not that of the trace");
        }
        return;
      }
      case "decision":
      case "proof":
      case "release_proof":
      case "session_end":
      case "lost":
        return;
    }
  }

  /** Correlation ids without a user, and of lost calls, begin with the name of the stream. */
  #checkStream(found: LogEvent, place: Place): void {
    const lost = found.form === "lost";
    if (!lost && (found.form !== "call" || found.intent.principal !== undefined)) return;
    const name = lost ? found.stream : found.key.prefix;
    this.#stream ??= name;
    if (name !== this.#stream) this.#find("wrong_stream", place, "an event is of another stream");
  }

  #badLine(reason: FindingReason, message: string): void {
    this.findings.add({ reason, line: this.#line, index: this.#position.index, message });
  }

  #find(reason: FindingReason, { line, index, correlationId }: Place, message: string): void {
    this.findings.add({ reason, line, index, correlationId, message });
  }
}

function isLine(line: JsonMapping, event: JsonMapping): boolean {
  if (!hasKeys(line, LINE_KEYS, BESIDE_KEYS) || !hasKeys(event, EVENT_KEYS)) return false;
  const { digest, index, v } = line;
  if (typeof index !== "number" || index < 0) return false;
  // That they are digests follows from being those that are computed.
  if (typeof digest !== "string" || digest.length !== 64 || typeof v !== "string" || v.length !== 64)
    return false;
  return (
    typeof event["correlation_id"] === "string" &&
    typeof event["event_kind"] === "string" &&
    isJsonMapping(event["data"])
  );
}

/** How much of a line stands after its event. */
function lengthAfter(
  index: number,
  observational: unknown,
  trace: unknown,
  v: string,
  write: CanonicalText["write"],
): number {
  const observed = observational === undefined ? 0 : 17 + write(observational).length;
  const traced = trace === undefined ? 0 : 9 + write(trace).length;
  return 9 + String(index).length + observed + traced + 6 + v.length + 2;
}
