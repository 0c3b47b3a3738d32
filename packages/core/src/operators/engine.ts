import { RE2JS } from "re2js";

// The only module that loads the regex engine. Whatever a guard needs before its first call must not import it.

/** Where a match stands: UTF-16 offsets, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A pattern on RE2: its time is linear in the text, whatever the pattern. */
export interface Engine {
  readonly matchesWhole: (text: string) => boolean;
  readonly foundIn: (text: string) => boolean;
  /** Every match from left to right, none overlapping. */
  readonly matches: (text: string) => Iterable<Span>;
  readonly programSize: number;
  readonly canMatchEmpty: boolean;
  /** Code points of the longest match there can be; `undefined`: no bound. */
  readonly maxMatchLength: number | undefined;
}

/** Compiles a pattern. Throws the engine's own error for what RE2 refuses. */
export function compileOnRe2(source: string): Engine {
  const expression = RE2JS.compile(source);
  const program: Program = expression.re2().prog;
  let searcher: RE2JS | undefined;
  return {
    matchesWhole: (text) => expression.testExact(text),
    foundIn: (text) => expression.test(text),
    matches(text) {
      searcher ??= compileForSearch(source);
      return matchesOf(searcher, text);
    },
    programSize: expression.programSize(),
    canMatchEmpty: reachesMatchSilently(program),
    maxMatchLength: longestMatch(program),
  };
}

/**
 * Before each search the engine looks through the whole rest of the text for strings that every match must hold. That
 * pays for one search, but makes many searches of one text quadratic, so it is switched off for them.
 */
function compileForSearch(source: string): RE2JS {
  const expression = RE2JS.compile(source);
  expression.re2().prefilter = null;
  return expression;
}

function* matchesOf(expression: RE2JS, text: string): Iterable<Span> {
  const matcher = expression.matcher(text);
  while (matcher.find()) yield { start: matcher.start(), end: matcher.end() };
}

/** The part of the engine's compiled program that is read here (its own types leave it open). */
interface Program {
  readonly start: number;
  numInst(): number;
  getInst(index: number): Instruction;
}

interface Instruction {
  readonly op: number;
  readonly out: number;
  /** The second branch of an alternative. */
  readonly arg: number;
}

// Instruction codes of re2js; `pattern.test.ts` would notice other ones.
const ALT = 1;
const ALT_MATCH = 2;
const FAIL = 5;
const MATCH = 6;
const RUNE = 8;
const RUNE_ANY_NOT_NL = 11;

function successors(instruction: Instruction): readonly number[] {
  if (instruction.op === MATCH || instruction.op === FAIL) return [];
  if (instruction.op === ALT || instruction.op === ALT_MATCH) return [instruction.out, instruction.arg];
  return [instruction.out];
}

function consumes(instruction: Instruction): boolean {
  return instruction.op >= RUNE && instruction.op <= RUNE_ANY_NOT_NL;
}

/** Whether the program can get from start to match without reading a character (anchors are taken to hold). */
function reachesMatchSilently(program: Program): boolean {
  const seen = new Set<number>();
  const open = [program.start];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (seen.has(index)) continue;
    seen.add(index);
    const instruction = program.getInst(index);
    if (instruction.op === MATCH) return true;
    if (!consumes(instruction)) open.push(...successors(instruction));
  }
  return false;
}

/**
 * The most characters that a way from start to match can read, or `undefined` where a loop reads one. Tarjan's
 * algorithm without recursion: components come out with their successors first, so each knows its longest way at once.
 */
function longestMatch(program: Program): number | undefined {
  const size = program.numInst();
  const order = new Int32Array(size).fill(-1);
  const low = new Int32Array(size);
  const onStack = new Uint8Array(size);
  /** Longest way to the match, -1 where there is none. */
  const longest = new Int32Array(size).fill(-1);
  const stack: number[] = [];
  const work: { readonly node: number; next: number }[] = [{ node: program.start, next: 0 }];
  let clock = 0;
  while (work.length > 0) {
    const frame = work[work.length - 1];
    if (frame === undefined) break;
    const { node } = frame;
    if (frame.next === 0) {
      order[node] = low[node] = clock++;
      stack.push(node);
      onStack[node] = 1;
    }
    const child = successors(program.getInst(node))[frame.next++];
    if (child !== undefined) {
      if (order[child] === -1) work.push({ node: child, next: 0 });
      else if (onStack[child] === 1) low[node] = Math.min(low[node] ?? 0, order[child] ?? 0);
      continue;
    }
    work.pop();
    const parent = work[work.length - 1];
    if (parent !== undefined) low[parent.node] = Math.min(low[parent.node] ?? 0, low[node] ?? 0);
    if (low[node] !== order[node]) continue;
    const component: number[] = [];
    for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
      onStack[member] = 0;
      component.push(member);
      if (member === node) break;
    }
    if (!closeComponent(program, component, longest)) return undefined;
  }
  return Math.max(0, longest[program.start] ?? 0);
}

/** Fills in `longest` for a strongly connected component; false when it is a loop that reads and leads to a match. */
function closeComponent(program: Program, component: readonly number[], longest: Int32Array): boolean {
  const members = new Set(component);
  let reads = 0;
  let loops = component.length > 1;
  let best = -1;
  for (const member of component) {
    const instruction = program.getInst(member);
    if (consumes(instruction)) reads++;
    if (instruction.op === MATCH) best = Math.max(best, 0);
    for (const next of successors(instruction)) {
      if (members.has(next)) loops = true;
      else best = Math.max(best, longest[next] ?? -1);
    }
  }
  if (best >= 0 && loops && reads > 0) return false;
  for (const member of component) longest[member] = best < 0 ? -1 : best + reads;
  return true;
}
