import type { Finding } from "./analysis.js";
import { FINDING_SHARE } from "./find-blocks.js";
import type { Letter } from "./letters.js";
import type { Study, Subject } from "./study.js";

/** Tools that the policy names and nobody can ever call. */
export function findTools(study: Study, subjects: readonly Subject[], scope: Finding["scope"]): Finding[] {
  const letterOf = subjects.map(
    ({ alphabet }) =>
      new Map(alphabet.letters.flatMap((letter) => letter.tools.map(({ tool }) => [tool, letter] as const))),
  );
  const callable = subjects.map(() => new Map<Letter, boolean>());
  const roles = subjects.flatMap(({ alike }) => alike.flat());
  return study.universe.flatMap(({ tool, stands }): Finding[] => {
    const base = { kind: "unreachable_tool", certain: true, roles, tool: stands ?? tool } as const;
    if (!study.granted.has(tool)) {
      // A pattern that only rules other than permissions use is no tool that somebody has forgotten.
      if (stands !== undefined) return [];
      return [{ ...base, scope: "any user", words: `nobody can call \`${tool}\`: no role is granted it` }];
    }
    const able = subjects.some((subject, index) => {
      const letter = letterOf[index]?.get(tool);
      if (letter === undefined) return false;
      const known = callable[index]?.get(letter);
      if (known !== undefined) return known;
      const found = isCallable(study, subject, letter);
      callable[index]?.set(letter, found);
      return found;
    });
    if (able) return [];
    const forbidden = letterOf.every((letters) => !letters.has(tool));
    const name = stands === undefined ? `\`${tool}\`` : `a tool of \`${stands}\` that nothing else names`;
    const words = forbidden
      ? `nobody can call ${name}: every role that is granted it is also forbidden it`
      : `nobody can call ${name}: the sequence rules refuse its first call and every later one`;
    return [{ ...base, scope, words }];
  });
}

/** Whether some session reaches a call of the letter. What is not known counts as yes. */
function isCallable(study: Study, subject: Subject, letter: Letter): boolean {
  if (subject.walk.denial(subject.walk.initial, letter.tool) === undefined) return true;
  const outcome = study.search(
    subject,
    { wanted: (it) => it === letter },
    () => ({ goal: (_, it, denial) => it === letter && denial === undefined }),
    FINDING_SHARE,
  );
  if (outcome.kind === "stopped") study.stopped(`whether \`${letter.tool}\` can be called`, subject, outcome);
  return outcome.kind !== "closed";
}
