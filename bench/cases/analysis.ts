import { loadPolicy } from "d2-policy";
import { analyzePolicy, type Question } from "d2-policy/analyze";
import { diffPolicies } from "d2-policy/diff";
import { describePolicy } from "d2-policy/inspect";
import type { Figure } from "../figure.js";
import { groupName, ROLES, rulesPolicy } from "../policies.js";

/** Once, in a process that has done little before, as a command does it. */
function timed<T>(work: () => T): { readonly result: T; readonly ms: number } {
  const begin = performance.now();
  const result = work();
  return { result, ms: performance.now() - begin };
}

/** For how many roles a search ended at its bound. */
function stoppedWords(roleSets: Iterable<readonly string[]>): string {
  const roles = new Set([...roleSets].flat());
  return `${roles.size} of ${ROLES} roles stopped`;
}

export function measure(): Figure[] {
  const load = (edited: boolean) => loadPolicy(rulesPolicy(edited), { now: 0 });
  const [policy, same, edited] = [load(false), load(false), load(true)];

  const question = (from: number, to: number, between: string): Figure => {
    const asked: Question = { from: `@${groupName(from)}`, to: `@${groupName(to)}` };
    const { result, ms } = timed(() => analyzePolicy(policy, asked));
    const count = (answer: string) => result.answers.filter((it) => it.answer === answer).length;
    const stopped = result.answers.filter(({ answer }) => answer === "stopped").map(({ roles }) => roles);
    const what = `\`analyze\` asked whether a group can follow another that ${between} (${count("can")} roles can, ${count("cannot")} cannot; ${stoppedWords(stopped)})`;
    return { what, unit: "ms", value: ms, atMost: 5000 };
  };
  const findings = (): Figure => {
    const { result, ms } = timed(() => analyzePolicy(policy));
    const stopped = stoppedWords(result.unfinished.map(({ roles }) => roles));
    const what = `\`analyze\` looking for what does nothing (${result.findings.length} findings; ${stopped})`;
    return { what, unit: "ms", value: ms, atMost: 5000 };
  };
  const difference = (other: typeof policy, name: string, atMost: number): Figure => {
    const { result, ms } = timed(() => diffPolicies(policy, other));
    const stopped = result.changes.filter(({ kind }) => kind === "search_stopped");
    const words = stoppedWords(stopped.flatMap(({ roleSets }) => roleSets));
    const what = `\`diff\` with ${name} (${result.changes.length} changes; ${words})`;
    return { what, unit: "ms", value: ms, atMost };
  };

  return [
    question(0, 2, "a label keeps apart from it"),
    question(10, 11, "rules of some roles keep apart from it"),
    findings(),
    difference(edited, "one that differs in the rules of four roles", 5000),
    difference(same, "an equal one", 1000),
    {
      what: "`describePolicy` of it: 50 roles x 1,000 tools x 50 rules over disjoint groups",
      unit: "ms",
      value: timed(() => describePolicy(policy)).ms,
    },
  ];
}
