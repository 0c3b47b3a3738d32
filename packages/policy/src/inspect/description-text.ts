import { counted } from "../counted.js";
import { type Marks, NO_MARKS } from "../marks.js";
import type {
  Described,
  DescribedPermission,
  DescribedRole,
  DescribedRule,
  DescribedUser,
  MergedRule,
  MergedTool,
  PolicyDescription,
} from "./description.js";
import { type TreeNode, treeLines } from "./tree-lines.js";
import { joined } from "./words-lists.js";

export interface DescriptionTextOptions {
  /** Also the place of each rule, and every argument rule on a line of its own. Default false. */
  readonly verbose?: boolean | undefined;
  readonly marks?: Marks | undefined;
}

/** Columns that a sentence may take before its parts get lines of their own. */
const WIDE = 96;

/** Prints what `describePolicy` says as trees. Ends with a line break. */
export function descriptionText(
  description: PolicyDescription,
  options: DescriptionTextOptions = {},
): string {
  const { marks = NO_MARKS, verbose = false } = options;
  const print = { marks, verbose };
  const { groups, roles, user, labels, unknownRoles, notes } = description;
  const sections: string[][] = [heading(description, marks)];
  const section = (title: string, nodes: readonly TreeNode[]) => {
    if (nodes.length > 0) sections.push([marks.strong(title), ...treeLines(nodes, marks)]);
  };
  if (unknownRoles.length > 0) {
    const names = joined(
      unknownRoles.map((role) => `\`${role}\``),
      "and",
    );
    sections.push([marks.warn(`the policy does not know ${names}`)]);
  }
  section(
    "groups",
    groups.map(({ name, tools }) => ({ text: `${name}: ${tools.length === 0 ? "no tools" : named(tools)}` })),
  );
  if (user === undefined)
    section(
      "roles",
      roles.map((role) => roleNode(role, print)),
    );
  else
    section(
      `a user with ${user.roles.length === 0 ? "no role of this policy" : joined(user.roles, "and")}`,
      userNodes(user, print),
    );
  section(
    "data flow",
    labels.map(({ words, rules }) => ({ text: `${words}${verbose ? at(rules, marks) : ""}` })),
  );
  if (notes.length > 0)
    sections.push([marks.faint("notes"), ...notes.map((note) => marks.faint(`  ${note}`))]);
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

interface Print {
  readonly marks: Marks;
  readonly verbose: boolean;
}

function heading(description: PolicyDescription, marks: Marks): string[] {
  const { name, version, expires, counts } = description;
  const lines = [`${marks.strong(name)} ${marks.faint(version)}`];
  if (description.description !== undefined) lines.push(description.description);
  if (expires !== undefined) lines.push(expiryWords(expires));
  const numbers = [
    counted(counts.roles, "role"),
    counted(counts.permissions, "permission"),
    counted(counts.tools, "tool"),
    ...(counts.inputRules > 0 ? [counted(counts.inputRules, "input rule")] : []),
    ...(counts.outputRules > 0 ? [counted(counts.outputRules, "output rule")] : []),
    ...(counts.actionRules > 0 ? [counted(counts.actionRules, "action rule")] : []),
    ...(counts.sequenceRules > 0 ? [counted(counts.sequenceRules, "sequence rule")] : []),
    ...(counts.labels > 0 ? [counted(counts.labels, "label")] : []),
  ];
  return [...lines, numbers.join(", ")];
}

function expiryWords({ at, daysLeft }: NonNullable<PolicyDescription["expires"]>): string {
  if (daysLeft === undefined) return `expires at ${at}`;
  if (daysLeft < 0) return `expired at ${at}`;
  return `expires at ${at}, in ${daysLeft === 0 ? "less than a day" : counted(daysLeft, "day")}`;
}

function roleNode({ role, permissions, mode, sequences }: DescribedRole, print: Print): TreeNode {
  const below = permissions.map((permission) => permissionNode(role, permission, print));
  const nothing = below.length === 0 ? [{ text: "may call nothing by itself" }] : [];
  return {
    text: print.marks.strong(role),
    below: [...below, ...nothing, ...sequenceNodes(mode, sequences, print)],
  };
}

function permissionNode(role: string, permission: DescribedPermission, print: Print): TreeNode {
  // The sentence without its subject, which is the branch that it hangs on.
  const words = permission.words.slice(role.length + 1);
  const mark = permission.effect === "allow" ? print.marks.good : print.marks.bad;
  return ruledNode(words, mark, permission, permission.rules, print);
}

/**
 * A sentence with its rules below; those on arguments are in the sentence already where that is short enough, and where
 * it stands in one place of the policy, so that nothing has to be said of where each of them comes from.
 */
function ruledNode(
  words: string,
  mark: (text: string) => string,
  place: Described | undefined,
  rules: readonly (DescribedRule | MergedRule)[],
  print: Print,
): TreeNode {
  const input = rules.filter(({ kind }) => kind === "input");
  const split =
    input.length > 0 && (print.verbose || place === undefined || (input.length > 1 && words.length > WIDE));
  const start = split ? words.slice(0, words.indexOf(" when ")).replace(/,$/, "") : words;
  const below = rules.filter(({ kind }) => split || kind !== "input");
  const verb = /^may(?: never)? call/.exec(start)?.[0] ?? "";
  const where = print.verbose && place !== undefined ? at([place], print.marks) : "";
  return {
    text: `${mark(verb)}${start.slice(verb.length)}${where}`,
    below: below.map((rule, index) => {
      const by = "roles" in rule ? print.marks.faint(` (${rule.roles.join(", ")})`) : "";
      const link = rule.kind !== "input" ? "" : index === 0 ? "when " : "and ";
      return { text: `${link}${rule.words}${by}${print.verbose ? at([rule], print.marks) : ""}` };
    }),
  };
}

function userNodes(user: DescribedUser, print: Print): TreeNode[] {
  const tools = user.tools.map((tool) => mergedNode(tool, print));
  if (tools.length === 0) tools.push({ text: "may call nothing" });
  return [...tools, ...sequenceNodes(user.mode, user.sequences, print, user.allowListed)];
}

function mergedNode(tool: MergedTool, print: Print): TreeNode {
  const mark = tool.effect === "allow" ? print.marks.good : print.marks.bad;
  return ruledNode(tool.words, mark, undefined, tool.rules, print);
}

function sequenceNodes(
  mode: DescribedRole["mode"],
  sequences: readonly (Described & { readonly role?: string })[],
  print: Print,
  allowListed: readonly string[] = [],
): TreeNode[] {
  if (mode === undefined) return [];
  if (sequences.length === 0) {
    return mode === "allow" ? [] : [{ text: "sequence: nothing may be called, since no pattern allows it" }];
  }
  const whose = allowListed.length === 0 ? "here" : `of ${joined(allowListed, "or")}`;
  const text =
    mode === "allow"
      ? "sequence: anything but what is denied here"
      : `sequence: only what an allow pattern ${whose} permits, and nothing that is denied`;
  return [
    {
      text,
      below: sequences.map((sequence) => ({
        text: `${sequence.words}${sequence.role === undefined ? "" : print.marks.faint(` (${sequence.role})`)}${
          print.verbose ? at([sequence], print.marks) : ""
        }`,
      })),
    },
  ];
}

function named(tools: readonly string[]): string {
  return joined(
    tools.map((tool) => `\`${tool}\``),
    "and",
  );
}

function at(places: readonly (Described | string)[], marks: Marks): string {
  const shown = places.map((place) => {
    if (typeof place === "string") return place;
    return place.line === undefined ? place.rule : `${place.rule}, line ${place.line}`;
  });
  return marks.faint(` [${shown.join("; ")}]`);
}
