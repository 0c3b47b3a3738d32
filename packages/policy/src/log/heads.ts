import { canonicalJson, isHexDigest } from "d2-core";
import { isJsonMapping } from "./canonical-line.js";
import type { Findings } from "./finding.js";

/** What a log's keeper signed: that at this time the line of this index ended the log with this `v`. */
export interface Head {
  readonly index: number;
  readonly key_id: string;
  /** Of `headMessage`, in the encoding that whoever verifies it understands. */
  readonly signature: string;
  readonly stream: string;
  readonly time: string | number;
  readonly v: string;
}

/**
 * Whether a signature is good. Throwing means no.
 *
 * @param message as `headMessage` gives it, in ASCII
 */
export type VerifySignature = (
  message: string,
  signature: string,
  keyId: string,
) => boolean | Promise<boolean>;

/** The text that is signed: the canonical JSON of a head without its signature and the key's name. */
export function headMessage({
  index,
  stream,
  time,
  v,
}: Pick<Head, "index" | "stream" | "time" | "v">): string {
  return canonicalJson({ index, stream, time, v });
}

/**
 * Reads the lines of a file of heads.
 *
 * @returns the heads, and the numbers of the lines that hold none; a last line that was not finished is left out
 */
export function readHeads(text: string): {
  readonly heads: readonly Head[];
  readonly badLines: readonly number[];
} {
  const heads: Head[] = [];
  const badLines: number[] = [];
  for (const [at, line] of text.split("\n").slice(0, -1).entries()) {
    const head = parse(line);
    if (isHead(head)) heads.push(head);
    else badLines.push(at + 1);
  }
  return { heads, badLines };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // reported as a bad line
  }
}

function isHead(head: unknown): head is Head {
  if (!isJsonMapping(head)) return false;
  const { index, key_id: key, signature, stream, time, v } = head;
  const named = typeof key === "string" && typeof signature === "string" && typeof stream === "string";
  const timed = typeof time === "string" || Number.isSafeInteger(time);
  return named && timed && Number.isSafeInteger(index) && isHexDigest(v);
}

/** What the signed heads of a log say of it. */
export interface HeadCounts {
  /** Heads that were given. */
  readonly given: number;
  /** Heads that the log was held against. */
  readonly reached: number;
  /** Heads whose signature was verified and is good. */
  readonly signed: number;
  /** Index of the last line that a good head vouches for; -1: none. Lines after it may have been cut off unseen. */
  readonly covered: number;
}

/** Holds the lines of a log against its heads. */
export class HeadWatch {
  readonly #heads: readonly Head[];
  readonly #findings: Findings;
  /** Heads with a bad signature. */
  readonly #bad = new Set<Head>();
  #at = 0;
  #reached = 0;
  #signed = 0;
  #covered = -1;

  /** @param from index of the first line that is read */
  constructor(heads: readonly Head[], findings: Findings, from: number) {
    this.#heads = [...heads].sort((a, b) => a.index - b.index);
    this.#findings = findings;
    while ((this.#heads[this.#at]?.index ?? from) < from) this.#at += 1;
  }

  /** Names the stream that the heads are of. */
  get stream(): string | undefined {
    return this.#heads[0]?.stream;
  }

  async verify(verifySignature: VerifySignature | undefined): Promise<void> {
    for (const head of this.#heads) {
      if (!isHead(head)) {
        this.#bad.add(head);
        this.#findings.add({ reason: "wrong_head", message: "a head has not the shape of one" });
      } else if (head.stream !== this.stream) {
        this.#bad.add(head);
        this.#findings.add({
          reason: "wrong_stream",
          index: head.index,
          message: "a head is of another stream",
        });
      } else if (verifySignature !== undefined) {
        if (await isSigned(head, verifySignature)) this.#signed += 1;
        else {
          this.#bad.add(head);
          this.#findings.add({
            reason: "bad_signature",
            index: head.index,
            message: "a head's signature is wrong",
          });
        }
      }
    }
  }

  /** Told of every line: its index, and the `v` that follows from everything before it. */
  line(index: number, v: string, line: number): void {
    for (let head = this.#heads[this.#at]; head !== undefined && head.index <= index; ) {
      this.#at += 1;
      if (head.index === index) this.#hold(head, v, line);
      else this.#differs(head, line);
      head = this.#heads[this.#at];
    }
  }

  #hold(head: Head, v: string, line: number): void {
    this.#reached += 1;
    if (head.v !== v) this.#differs(head, line);
    else if (!this.#bad.has(head)) this.#covered = head.index;
  }

  #differs({ index }: Head, line: number): void {
    this.#findings.add({
      reason: "wrong_head",
      line,
      index,
      message: "the log is another one than its head says",
    });
  }

  /** Told when the log is over. */
  end(): void {
    for (const { index } of this.#heads.slice(this.#at)) {
      this.#findings.add({
        reason: "missing_tail",
        index,
        message: "the log ends before the line that a head is of",
      });
    }
  }

  get counts(): HeadCounts {
    return {
      given: this.#heads.length,
      reached: this.#reached,
      signed: this.#signed,
      covered: this.#covered,
    };
  }
}

async function isSigned(head: Head, verifySignature: VerifySignature): Promise<boolean> {
  try {
    return (await verifySignature(headMessage(head), head.signature, head.key_id)) === true;
  } catch {
    return false; // a key that is not there, or a signature that cannot be read
  }
}
