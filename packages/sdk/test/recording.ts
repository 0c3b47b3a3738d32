import { type ChainPosition, canonicalJson, digest, NOTHING_BEFORE } from "d2-core";
import type { DecisionSink } from "../src/log/sink.js";

/** A line of a log, taken apart. */
export interface Line {
  readonly digest: string;
  readonly event: {
    readonly correlation_id: string;
    readonly event_kind: string;
    // Events are read as what they are expected to be.
    // biome-ignore lint/suspicious/noExplicitAny: the tests look into data of every shape
    readonly data: any;
  };
  readonly index: number;
  readonly v: string;
  readonly observational?: { readonly duration_ns: number; readonly error?: string };
  readonly trace?: { readonly success: boolean; readonly failure_code: string };
}

/** Keeps lines, or fails as it is told. */
export class TestSink implements DecisionSink {
  readonly stream = "test";
  position: ChainPosition = { index: 0, v: NOTHING_BEFORE, calls: 0 };
  text = "";
  appends = 0;
  syncs = 0;
  failing = false;
  closed = false;
  policies = new Map<string, string>();

  append(lines: string, head: ChainPosition): void | Promise<void> {
    if (this.failing) throw new Error("the disk is full");
    this.text += lines;
    this.position = head;
    this.appends += 1;
  }
  sync(): void {
    this.syncs += 1;
  }
  keepPolicy(digest: string, text: string): void {
    this.policies.set(digest, text);
  }
  close(): void {
    this.closed = true;
  }

  /** The lines, each checked: canonical text, digests, chain. */
  get lines(): Line[] {
    let prev: string = NOTHING_BEFORE;
    return this.text
      .split("\n")
      .slice(0, -1)
      .map((text, index) => {
        const line: Line = JSON.parse(text);
        if (canonicalJson(line) !== text) throw new Error(`line ${index} is not canonical`);
        if (digest(line.event) !== line.digest) throw new Error(`line ${index} has a wrong digest`);
        const v = digest({ digest: line.digest, index, prev });
        if (line.index !== index || line.v !== v) throw new Error(`line ${index} breaks the chain`);
        prev = v;
        return line;
      });
  }
}
