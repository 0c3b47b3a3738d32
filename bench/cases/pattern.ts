import { OPERATORS } from "d2-core";
import { RE2JS } from "re2js";
import type { Figure } from "../figure.js";
import { timeSideBySide } from "../timing.js";

const SOURCE = "^[a-z_]+$";
const TEXTS = Array.from({ length: 64 }, (_, n) => "abcdefghij_klmnopqrs".slice(n % 10).padEnd(20, "xyz_"));

/** Patterns that make a backtracking engine take for ever, and a text of the given length on which they do. */
const CATASTROPHIC = ["(a+)+$", "(a|aa)+b", "([a-z]+)*[0-9]"];

function holding(operator: "matches" | "not_matches", pattern: string): (value: unknown) => boolean {
  const judge = OPERATORS.get(operator)?.bind(pattern);
  if (judge === undefined) throw new Error("no such operator");
  return (value) => judge.holds(value);
}

function each(test: (text: string) => boolean): (times: number) => number {
  return (times) => {
    let hits = 0;
    for (let n = 0; n < times; n += 1) if (test(TEXTS[n & 63] ?? "")) hits += 1;
    return hits;
  };
}

export function measure(): Figure[] {
  const native = new RegExp(SOURCE, "u");
  const re2 = RE2JS.compile(SOURCE);
  const ns = timeSideBySide({
    ours: each(holding("matches", SOURCE)),
    native: each((text) => native.test(text)),
    re2: each((text) => re2.matches(text)),
  });
  const figures: Figure[] = [
    {
      what: `\`${SOURCE}\` on 20 characters, beside a native RegExp`,
      unit: "x",
      value: ns.ours / ns.native,
      atMost: 2,
    },
    { what: `\`${SOURCE}\` on 20 characters`, unit: "ns", value: ns.ours },
    { what: "the same with re2js", unit: "ns", value: ns.re2 },
  ];
  for (const pattern of CATASTROPHIC) {
    const judge = holding("not_matches", pattern);
    const run = (length: number): number => {
      const text = `${"a".repeat(length)}!`;
      judge(text);
      const begin = performance.now();
      judge(text);
      return performance.now() - begin;
    };
    const [half, whole] = [run(500_000), run(1_000_000)];
    figures.push(
      { what: `\`${pattern}\` on 1 MB, beside 0.5 MB`, unit: "x", value: whole / half, atMost: 3 },
      { what: `\`${pattern}\` on 1 MB`, unit: "ms", value: whole },
    );
  }
  return figures;
}
