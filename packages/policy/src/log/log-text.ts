import { counted } from "../counted.js";
import { type Marks, NO_MARKS } from "../marks.js";
import type { Answer, Change, ChangeGroup, Changes } from "./change.js";
import type { CompareResult } from "./compare-log.js";
import type { Finding } from "./finding.js";
import type { ReplayResult } from "./replay-options.js";
import type { VerifyResult } from "./verify-options.js";

export interface LogTextOptions {
  /** The log, as it is to be named. */
  readonly file: string;
  /** Whether signatures were looked at. Default false. */
  readonly keyed?: boolean | undefined;
  readonly marks?: Marks | undefined;
}

/** Groups of each kind that are shown. */
const SHOWN_GROUPS = 10;

/** What a verification found, in plain words. */
export function verifyText(result: VerifyResult, options: LogTextOptions): string {
  const marks = options.marks ?? NO_MARKS;
  return lines(verdict(result, options, marks), ...body(result, options, marks));
}

/** What a replay found, in plain words. */
export function replayText(result: ReplayResult, options: LogTextOptions): string {
  const marks = options.marks ?? NO_MARKS;
  return lines(verdict(result, options, marks), ...body(result, options, marks), ...replayed(result, marks));
}

/** What another policy would have decided, in plain words. */
export function compareText(result: CompareResult, options: LogTextOptions): string {
  const marks = options.marks ?? NO_MARKS;
  return lines(
    verdict(result, options, marks),
    ...body(result, options, marks),
    ...replayed(result, marks),
    ...compared(result, marks),
  );
}

const lines = (...all: readonly string[]): string => `${all.join("\n")}\n`;

function verdict({ ok, totals }: VerifyResult, { file }: LogTextOptions, marks: Marks): string {
  const found = Object.values(totals).reduce((sum, count) => sum + (count ?? 0), 0);
  const word = ok ? marks.good("whole") : marks.bad(`not whole: ${counted(found, "finding")}`);
  return `${marks.strong(file)}: ${word}`;
}

function* body(result: VerifyResult, { keyed }: LogTextOptions, marks: Marks): Generator<string> {
  const { counts, unfinished, heads, tornTail, findings } = result;
  yield `  ${counted(counts.calls, "call")}, ${counts.allowed} allowed, ${counts.denied} denied; ${counted(counts.events, "event")} in ${counted(counts.lines, "line")}`;
  if (counts.withheld > 0) yield `  ${counted(counts.withheld, "result")} withheld after the call`;
  if (counts.lostCalls > 0)
    yield marks.warn(`  ${counted(counts.lostCalls, "call")} lost: the writer says so itself`);
  const open = unfinished.undecided + unfinished.unproven + unfinished.running;
  if (open > 0) yield `  ${counted(open, "call")} without an end, as a program that was stopped leaves them`;
  if (tornTail !== undefined) yield "  the last line was not finished and is left aside";
  yield `  ${headWords(heads, keyed === true, counts.lines)}`;
  yield* findingLines(findings, marks);
}

function headWords({ given, signed, covered }: VerifyResult["heads"], keyed: boolean, all: number): string {
  if (given === 0) return "no signed heads: lines cut off at the end would not show";
  const vouched = `signed heads vouch for the first ${covered + 1} of ${counted(all, "line")}`;
  return keyed
    ? `${vouched}; ${counted(signed, "signature")} verified`
    : `${vouched}, if their signatures are good: give the key to have them checked`;
}

function* findingLines(findings: readonly Finding[], marks: Marks): Generator<string> {
  for (const { reason, line, message, recorded, derived } of findings) {
    const place = line === undefined ? "at the end" : `line ${line}`;
    const what = recorded === undefined ? "" : ` (recorded ${recorded}, derived ${derived ?? "nothing"})`;
    yield `  ${marks.bad(reason)} ${place}: ${message}${what}`;
  }
}

function* replayed({ replay }: ReplayResult, marks: Marks): Generator<string> {
  const { matched, different, notReplayable, causes, missingReleases, forgottenSessions, digest } = replay;
  yield `  ${counted(matched, "decision")} taken again and the same to the byte`;
  if (different > 0)
    yield `  ${marks.bad(`${counted(different, "decision")} that do not follow from what was recorded`)}`;
  if (missingReleases > 0)
    yield `  ${marks.bad(`${counted(missingReleases, "result")} without a decision on the release`)}`;
  if (notReplayable > 0) {
    yield `  ${marks.warn(`${counted(notReplayable, "decision")} that cannot be taken again`)}`;
    for (const [cause, cases] of Object.entries(causes)) yield `    ${cases} ${cause.replaceAll("_", " ")}`;
  }
  if (forgottenSessions > 0)
    yield `  ${counted(forgottenSessions, "session")} forgotten, for there were too many at once`;
  yield marks.faint(`  digest of the replay ${digest}`);
}

function* compared({ comparison }: CompareResult, marks: Marks): Generator<string> {
  const { changes, notCompared } = comparison;
  yield "";
  yield `${marks.strong("against the other policy")}: ${counted(comparison.compared, "decision")} compared, ${changes.total === 0 ? marks.good("no change") : `${changes.total} would change`}`;
  for (const [cause, cases] of Object.entries(notCompared)) {
    yield marks.warn(`  ${cases} not compared: ${cause.replaceAll("_", " ")}`);
  }
  if (changes.total === 0) return;
  const { allow_to_deny: closed, deny_to_allow: opened, reason, transforms } = changes.kinds;
  yield `  ${closed} from allow to deny, ${opened} from deny to allow, ${reason} for another reason, ${transforms} cleaned in another way`;
  yield* groups("by reason", changes.byReason, marks);
  yield* groups("by tool", changes.byTool, marks);
  yield* groups("by role", changes.byRole, marks);
  yield* groups("by user", changes.byUser, marks);
  yield* examples(changes, marks);
}

function* groups(heading: string, all: readonly ChangeGroup[], marks: Marks): Generator<string> {
  yield `  ${marks.strong(heading)}`;
  const shown = all.slice(0, SHOWN_GROUPS);
  const width = Math.max(...shown.map(({ changes }) => String(changes).length));
  for (const { name, changes } of shown) {
    yield `    ${String(changes).padStart(width)}  ${name === "" ? "(none)" : name}`;
  }
  if (all.length > shown.length) yield `    and ${all.length - shown.length} more`;
}

function* examples({ examples: all, total }: Changes, marks: Marks): Generator<string> {
  yield `  ${marks.strong(all.length < total ? `the first ${all.length}` : "each")}`;
  for (const change of all) yield `    ${exampleWords(change)}`;
}

function exampleWords({ index, tool, user, roles, release, before, after }: Change): string {
  const who = user === undefined ? "nobody" : `\`${user}\` (${roles.join(", ")})`;
  return `event ${index}: ${release ? "the result of " : ""}\`${tool}\` for ${who}: ${answerWords(before)} -> ${answerWords(after)}`;
}

function answerWords({ outcome, reason, rule }: Answer): string {
  return `${outcome}${outcome === "deny" ? ` ${reason}` : ""}${rule === undefined ? "" : ` by ${rule}`}`;
}
