import type { ChainPosition } from "d2-core";
import { nodeCrypto } from "../setup/node-crypto.js";

/** What a line says of the chain. */
export interface LogLine {
  readonly index: number;
  readonly digest: string;
  readonly v: ChainPosition["v"];
  /** Number of the last call that the line tells of; undefined: of none. */
  readonly calls: number | undefined;
}

/** Reads a line of a log. `undefined`: it is none. */
export function readLogLine(text: string): LogLine | undefined {
  const line = parsed(text);
  const event = field(line, "event");
  const index = field(line, "index");
  const digest = field(line, "digest");
  const v = field(line, "v");
  const id = field(event, "correlation_id");
  if (typeof index !== "number" || !Number.isSafeInteger(index) || index < 0) return undefined;
  if (!isDigest(digest) || !isDigest(v) || typeof id !== "string") return undefined;
  return { index, digest, v, calls: callsOf(id, field(event, "data")) };
}

/**
 * Whether a line's event has the digest that it says, and the line the place in the chain.
 *
 * @param prev `v` of the line before; undefined: it is not known
 */
export function isAsWritten(text: string, { index, digest, v }: LogLine, prev: string | undefined): boolean {
  const head = `{"digest":"${digest}","event":`;
  const event = text.slice(head.length, text.lastIndexOf(`,"index":${index},`));
  if (!text.startsWith(head) || sha256(event) !== digest) return false;
  return prev === undefined || sha256(`{"digest":"${digest}","index":${index},"prev":"${prev}"}`) === v;
}

/** Whether a line is JSON of any kind. */
export function isJson(text: string): boolean {
  return parsed(text) !== undefined;
}

/** The number of the last call that an event tells of. Ends of calls and sessions tell of none, for those come in any order. */
function callsOf(id: string, data: unknown): number | undefined {
  const lost = field(data, "lost_calls");
  const number = Number(/:([1-9][0-9]*)$/.exec(id)?.[1]);
  if (!Number.isSafeInteger(number)) return undefined;
  if (typeof lost === "number") return number + lost - 1;
  return field(data, "inputs") === undefined ? undefined : number;
}

// Sixty-four lower-case hex digits are what the type stands for.
function isDigest(value: unknown): value is ChainPosition["v"] {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

function sha256(text: string): string {
  return nodeCrypto().createHash("sha256").update(text, "utf8").digest("hex");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // told by the caller, who knows where it stands
  }
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
}
