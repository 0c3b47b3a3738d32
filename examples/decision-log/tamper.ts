import { createHash } from "node:crypto";

/** Something done to a log, given as its lines, by someone who wants to hide or invent something. */
export interface Tampering {
  readonly name: string;
  readonly change: (lines: readonly string[]) => string;
}

const joined = (lines: readonly string[]): string => `${lines.join("\n")}\n`;
const replaced = (lines: readonly string[], at: number, line: string): string => joined(lines.with(at, line));

/** Where the first line of a refused call's decision is. */
const denial = (lines: readonly string[]): number =>
  lines.findIndex((line) => line.includes('"decision":"DENY"'));
const line = (lines: readonly string[], at: number): string => lines.at(at) ?? "";
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Writes digests and chain anew from a line on, as somebody who knows the format can. */
function rechained(lines: readonly string[], from: number): string {
  let prev = from === 0 ? "0".repeat(64) : line(lines, from - 1).slice(-66, -2);
  const anew = lines.slice(from).map((text, offset) => {
    const start = '{"digest":"'.length + 64 + '","event":'.length;
    const end = text.lastIndexOf(',"index":');
    const digest = sha256(text.slice(start, end));
    const index = from + offset;
    const beside = text.slice(text.indexOf(",", end + ',"index":'.length), text.lastIndexOf(',"v":"'));
    prev = sha256(`{"digest":"${digest}","index":${index},"prev":"${prev}"}`);
    return `{"digest":"${digest}","event":${text.slice(start, end)},"index":${index}${beside},"v":"${prev}"}`;
  });
  return joined([...lines.slice(0, from), ...anew]);
}

/** Ten ways, each of which a verifier must see. */
export const TAMPERINGS: readonly Tampering[] = [
  {
    name: "an argument is changed",
    change: (lines) => {
      const at = lines.findIndex((text) => text.includes('"amount":13'));
      return replaced(lines, at, line(lines, at).replace('"amount":13', '"amount":12'));
    },
  },
  {
    name: "a DENY becomes an ALLOW",
    change: (lines) =>
      replaced(lines, denial(lines), line(lines, denial(lines)).replace('"DENY"', '"ALLOW"')),
  },
  {
    name: "a digest is changed",
    change: (lines) =>
      replaced(
        lines,
        7,
        line(lines, 7).replace(/^{"digest":"(.)/, (_, digit) => `{"digest":"${digit === "0" ? 1 : 0}`),
      ),
  },
  {
    name: "two lines change places",
    change: (lines) => joined(lines.with(4, line(lines, 5)).with(5, line(lines, 4))),
  },
  {
    name: "a call in the middle is taken out",
    change: (lines) => joined(lines.toSpliced(denial(lines) - 1, 2)),
  },
  {
    name: "the same, and the chain is made anew",
    change: (lines) => rechained(lines.toSpliced(denial(lines) - 1, 2), denial(lines) - 1),
  },
  { name: "the end is cut off", change: (lines) => joined(lines.slice(0, -200)) },
  { name: "a line is there twice", change: (lines) => joined(lines.toSpliced(9, 0, line(lines, 9))) },
  {
    name: "a second decision is slipped in, and the chain is made anew",
    change: (lines) => {
      const at = lines.findIndex((text) => text.includes('"decision":"ALLOW"'));
      return rechained(lines.toSpliced(at + 1, 0, line(lines, at)), at + 1);
    },
  },
  {
    name: "an execution is put after a DENY, and the chain is made anew",
    change: (lines) => {
      const at = denial(lines);
      const id = /"correlation_id":"([^"]*)"/;
      const run = line(
        lines,
        lines.findIndex((text) => text.includes('"event_kind":"EXECUTION"')),
      );
      const put = run.replace(id, `"correlation_id":"${id.exec(line(lines, at))?.[1]}"`);
      return rechained(lines.toSpliced(at + 1, 0, put), at + 1);
    },
  },
];
