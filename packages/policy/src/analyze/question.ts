import {
  ConfigurationError,
  compileToolMatcher,
  type PolicyDocument,
  parseToolPattern,
  quoted,
} from "d2-core";
import { referenceMatcher } from "../reach/tool-universe.js";
import type { Question } from "./analysis.js";

/** One side of a question. */
export interface Side {
  readonly reference: string;
  matches(tool: string): boolean;
}

/** Checks what a question names against the policy. */
export function readQuestion(document: PolicyDocument, question: Question): { from?: Side; to?: Side } {
  for (const role of question.roles ?? []) checkRole(document, role);
  if (question.roles?.length === 0) {
    throw new ConfigurationError(
      "the question names an empty list of roles: name a role, or leave `roles` out",
    );
  }
  if (question.from !== undefined && question.to === undefined) {
    throw new ConfigurationError(
      `the question says what comes first (${quoted(question.from)}) but not what may follow: give \`to\` as well`,
    );
  }
  return {
    ...(question.from === undefined ? {} : { from: readSide(document, question.from) }),
    ...(question.to === undefined ? {} : { to: readSide(document, question.to) }),
  };
}

function checkRole(document: PolicyDocument, role: string): void {
  const roles = new Set(document.policies.flatMap((entry) => entry.roles));
  if (roles.has(role)) return;
  const known = [...roles].map(quoted).join(", ");
  throw new ConfigurationError(
    `the policy has no role ${quoted(role)}: ${roles.size === 0 ? "it has none at all" : `name one of ${known}`}`,
  );
}

function readSide(document: PolicyDocument, reference: string): Side {
  const matcher = referenceMatcher(document);
  if (reference.startsWith("@")) {
    const names = document.toolGroups.map(({ name }) => `@${name}`);
    if (!names.includes(reference)) {
      const known = names.length === 0 ? "it defines none" : `name one of ${names.map(quoted).join(", ")}`;
      throw new ConfigurationError(`the policy has no group ${quoted(reference)}: ${known}`);
    }
    const group = matcher(reference);
    return { reference, matches: (tool) => group.matches(tool) };
  }
  const parsed = parseToolPattern(reference);
  if (!parsed.ok) throw new ConfigurationError(parsed.message);
  const own = compileToolMatcher([reference]);
  // The tools of what the policy names nowhere are called by nobody; asking for one is most often a slip.
  if (!referencesOf(document).some((named) => matcher(named).overlaps(own))) {
    throw new ConfigurationError(
      `nothing in the policy names ${quoted(reference)}: check its spelling, or name a tool, a prefix or a \`@group\` of the policy`,
    );
  }
  return { reference, matches: (tool) => own.matches(tool) };
}

function referencesOf(document: PolicyDocument): string[] {
  return [
    ...document.policies.flatMap(({ permissions, sequence }) => [
      ...permissions.map(({ tool }) => tool),
      ...(sequence?.rules ?? []).flatMap(({ steps }) => steps),
    ]),
    ...document.toolGroups.map(({ name }) => `@${name}`),
    ...document.labels.map(({ tool }) => tool),
    ...document.blocks.flatMap(({ tools }) => tools),
  ];
}
