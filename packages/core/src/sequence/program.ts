import type { SequenceRule } from "../document/document.js";
import { formatDocumentPath } from "../document/fault.js";
import type { ToolMatcher } from "../document/tool-reference.js";

/** Most calls that one pattern can name. */
export const MAX_STEPS = 16;

/** A pattern whose steps are indexes into the program's list of distinct steps. */
export interface Pattern {
  readonly steps: readonly number[];
  /** Document path of the rule. */
  readonly rule: string;
  /** The rule's own `reason`, if it has one. */
  readonly reason: string | undefined;
}

export interface DenyPattern extends Pattern {
  /** Indexes of the allow patterns of the same role that could ever hold a whole witness of this one. */
  readonly excuses: readonly number[];
}

/** The sequence rules of one role, all its entries together. */
export interface RoleProgram {
  /** Whether an allow pattern must permit every call (`mode: deny`). */
  readonly allowListed: boolean;
  /** Document path of the role's first `sequence`. */
  readonly rule: string;
  readonly deny: readonly DenyPattern[];
  readonly allow: readonly Pattern[];
}

/**
 * The sequence rules of a set of roles. Tools that match the same steps are alike to the rules: they share a *class*,
 * a small number that is handed out when a tool is first seen.
 */
export interface SequenceProgram {
  readonly roles: readonly RoleProgram[];
  /** The class of a tool id. */
  classOf(tool: string): number;
  /** Whether tools of this class match the step. */
  matches(toolClass: number, step: number): boolean;
}

/** What the rules of one role are made of, in document order. */
export interface RoleRules {
  readonly allowListed: boolean;
  readonly at: string;
  readonly rules: readonly SequenceRule[];
}

/**
 * Compiles the sequence rules of the roles that a user holds. `matcher` resolves a step's tool reference, groups
 * included; it is asked once for each distinct reference.
 */
export function compileSequence(
  roles: readonly RoleRules[],
  matcher: (reference: string) => ToolMatcher,
): SequenceProgram {
  const stepOf = new Map<string, number>();
  const steps: ToolMatcher[] = [];
  const step = (reference: string): number => {
    const known = stepOf.get(reference);
    if (known !== undefined) return known;
    const index = steps.length;
    steps.push(matcher(reference));
    stepOf.set(reference, index);
    return index;
  };
  const pattern = (rule: SequenceRule): Pattern => ({
    steps: rule.steps.map(step),
    rule: formatDocumentPath(rule.at),
    reason: rule.reason,
  });
  const compiled = roles.map((role): RoleProgram => {
    const allow = role.rules.filter((rule) => rule.kind === "allow").map(pattern);
    const deny = role.rules.filter((rule) => rule.kind === "deny").map(pattern);
    return {
      allowListed: role.allowListed,
      rule: role.at,
      allow,
      deny: deny.map((it) => ({ ...it, excuses: excusesOf(it, allow, steps) })),
    };
  });
  return { roles: compiled, ...toolClasses(steps) };
}

/** An allow pattern can hold a witness only if it has room for it and can end at the same call. */
function excusesOf(deny: Pattern, allow: readonly Pattern[], steps: readonly ToolMatcher[]): number[] {
  const last = steps[deny.steps.length === 0 ? -1 : (deny.steps.at(-1) ?? -1)];
  const indexes: number[] = [];
  allow.forEach((candidate, index) => {
    const end = steps[candidate.steps.at(-1) ?? -1];
    if (candidate.steps.length < deny.steps.length || last === undefined || end === undefined) return;
    if (canShareATool(last, end)) indexes.push(index);
  });
  return indexes;
}

function canShareATool(one: ToolMatcher, other: ToolMatcher): boolean {
  if (one.any || other.any) return true;
  for (const id of one.exact) if (other.matches(id)) return true;
  for (const id of other.exact) if (one.matches(id)) return true;
  return one.prefixes.some((a) => other.prefixes.some((b) => a.startsWith(b) || b.startsWith(a)));
}

/** Most tool ids whose class is remembered; beyond it a class is worked out again each time. */
const MAX_REMEMBERED = 20_000;

function toolClasses(steps: readonly ToolMatcher[]): Pick<SequenceProgram, "classOf" | "matches"> {
  const byTool = new Map<string, number>();
  const bySignature = new Map<string, number>();
  const rows: (readonly boolean[])[] = [];
  return {
    classOf(tool) {
      const known = byTool.get(tool);
      if (known !== undefined) return known;
      const row = steps.map((matcher) => matcher.matches(tool));
      const signature = row.map((hit) => (hit ? "1" : "0")).join("");
      let index = bySignature.get(signature);
      if (index === undefined) {
        index = rows.length;
        rows.push(row);
        bySignature.set(signature, index);
      }
      if (byTool.size < MAX_REMEMBERED) byTool.set(tool, index);
      return index;
    },
    matches(toolClass, step) {
      return rows[toolClass]?.[step] ?? false;
    },
  };
}
