import { frozen } from "../frozen.js";
import type { LoadedPolicy } from "../load-policy.js";
import type { Analysis, AnalyzeOptions, Question } from "./analysis.js";
import { answerQuestion } from "./answer-question.js";
import { findBlocks, idleFlows } from "./find-blocks.js";
import { findPermissions } from "./find-permissions.js";
import { findSequences } from "./find-sequences.js";
import { findTools } from "./find-tools.js";
import { readQuestion } from "./question.js";
import { Study } from "./study.js";

/**
 * Answers what calls a policy can ever allow: with `to`, whether a user can call a tool of it (after one of `from`), as a
 * proof or a shortest path; without, what the policy's blocks do and what in it does nothing. A finite search over what
 * the sequence rules and labels can remember, with arguments and results free; the method and its bound are in
 * `docs/analysis.md`. The same policy and question give the same analysis.
 *
 * @throws {ConfigurationError} the question names a role, group or tool that the policy does not know
 */
export function analyzePolicy(
  policy: LoadedPolicy,
  question: Question = {},
  options: AnalyzeOptions = {},
): Analysis {
  const { document } = policy;
  const { roles, from, to } = question;
  const sides = readQuestion(document, question);
  const study = new Study(
    document,
    options,
    [from, to].flatMap((it) => (it === undefined ? [] : [it])),
  );
  const asked = {
    ...(roles === undefined ? {} : { roles: [...new Set(roles)] }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
  const answers = sides.to === undefined ? [] : answerQuestion(study, roles, sides.from, sides.to);
  const { blocks, findings } = sides.to === undefined ? findAll(study, roles) : NOTHING_FOUND;
  return frozen({
    question: asked,
    answers,
    blocks,
    findings,
    unfinished: study.unfinished,
    states: study.states,
  });
}

const NOTHING_FOUND: Pick<Analysis, "blocks" | "findings"> = Object.freeze({ blocks: [], findings: [] });

function findAll(study: Study, roles: readonly string[] | undefined): Pick<Analysis, "blocks" | "findings"> {
  const subjects = study.subjects(roles);
  const scope = roles === undefined ? "users with one role" : "users with these roles";
  const blocks = findBlocks(study, subjects);
  const findings = [
    ...findTools(study, subjects, scope),
    ...findSequences(study, subjects, scope),
    ...idleFlows(study, blocks, scope),
    ...findPermissions(study, subjects, scope),
  ];
  return { blocks, findings };
}
