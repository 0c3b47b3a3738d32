import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChainPosition, canonicalJson, digest, type HexDigest, NOTHING_BEFORE } from "d2-core";
import { afterEach, beforeEach } from "vitest";
import { type FileSinkOptions, openFileSink } from "../src/log/file-sink.js";
import type { DecisionSink } from "../src/log/sink.js";
import { SILENT } from "./enforce.js";

/** A folder for each test of a file, and a stream `app` in it. */
export function logFolder(): {
  readonly path: (...names: string[]) => string;
  readonly open: (options?: Partial<FileSinkOptions>) => DecisionSink;
  readonly chainLength: (stream?: string) => number;
} {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "d2-log-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const path = (...names: string[]): string => join(folder, ...names);
  return {
    path,
    open: (options = {}) => openFileSink({ path: path("app.jsonl"), logger: SILENT, ...options }),
    chainLength: (stream = "app") => readChain(folder, stream).length,
  };
}

/** The next lines of a chain, each the INTENT of a call. */
export function nextLines(from: ChainPosition, count = 1): { lines: string; head: ChainPosition } {
  let { index, v, calls } = from;
  let lines = "";
  for (let n = 0; n < count; n++) {
    calls += 1;
    const event = { correlation_id: `id:${calls}`, data: { inputs: {} }, event_kind: "INTENT" };
    const of = digest(event);
    v = digest({ digest: of, index, prev: v });
    lines += `${canonicalJson({ digest: of, event, index, v })}\n`;
    index += 1;
  }
  return { lines, head: { index, v, calls } };
}

/** Writes so many lines to a sink that answers at once. */
export function write(sink: DecisionSink, count = 1): string {
  const { lines, head } = nextLines(sink.position, count);
  void sink.append(lines, head);
  return lines;
}

/** The kinds of the events in the files of a stream, checked as one chain. */
export function readChain(folder: string, stream: string): string[] {
  const before = readdirSync(folder).filter((name) => new RegExp(`^${stream}\\.\\d{12}\\.jsonl$`).test(name));
  let prev: HexDigest = NOTHING_BEFORE;
  const kinds: string[] = [];
  for (const name of [...before.sort(), `${stream}.jsonl`]) {
    for (const text of readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1)) {
      const line = JSON.parse(text);
      const index = kinds.length;
      if (line.index !== index || line.v !== digest({ digest: digest(line.event), index, prev })) {
        throw new Error(`${name}: line ${index} breaks the chain`);
      }
      prev = line.v;
      kinds.push(line.event.event_kind);
    }
  }
  return kinds;
}
