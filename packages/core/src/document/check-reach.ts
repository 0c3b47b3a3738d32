import type { DocumentPath, PolicyDocument, SequenceRule } from "./document.js";
import type { FaultList } from "./fault-list.js";
import { quoted } from "./name-characters.js";
import { compileToolMatcher, groupOf, type ToolMatcher } from "./tool-reference.js";

/** Warns of what can never apply or never help in a document without errors. */
export function checkReach(document: PolicyDocument, faults: FaultList): void {
  const tools = new ReferencedTools(document);
  checkBlocks(document, faults);
  checkLabels(document, tools, faults);
  checkSteps(document, tools, faults);
}

/** The tools that a reference stands for, compiled once a reference. */
class ReferencedTools {
  readonly #groups: ReadonlyMap<string, readonly string[]>;
  readonly #matchers = new Map<string, ToolMatcher>();

  constructor(document: PolicyDocument) {
    this.#groups = new Map(document.toolGroups.map((group) => [group.name, group.tools]));
  }

  patterns(reference: string): readonly string[] {
    const group = groupOf(reference);
    return group === undefined ? [reference] : (this.#groups.get(group) ?? []);
  }

  matcher(reference: string): ToolMatcher {
    let matcher = this.#matchers.get(reference);
    if (matcher === undefined) {
      matcher = compileToolMatcher(this.patterns(reference));
      this.#matchers.set(reference, matcher);
    }
    return matcher;
  }
}

function checkBlocks(document: PolicyDocument, faults: FaultList): void {
  const emitted = new Set(document.labels.flatMap((rule) => rule.labels));
  for (const block of document.blocks) {
    if (emitted.has(block.label)) continue;
    const message = `no tool emits the label ${quoted(block.label)}: it blocks nothing unless the program records it as a fact`;
    faults.warning("label_never_emitted", message, block.at, { at: "key" });
  }
}

function checkLabels(document: PolicyDocument, tools: ReferencedTools, faults: FaultList): void {
  const blocks = new Map(document.blocks.map((block) => [block.label, block]));
  for (const rule of document.labels) {
    for (const label of rule.labels) {
      const blocked = blocks.get(label)?.tools ?? [];
      if (!blocked.some((reference) => tools.matcher(rule.tool).overlaps(tools.matcher(reference)))) continue;
      const message = `a tool of ${quoted(rule.tool)} emits ${quoted(label)}, which blocks it: after its first call it is denied`;
      faults.warning("self_blocking_label", message, rule.at, { at: "key" });
    }
  }
}

function checkSteps(document: PolicyDocument, tools: ReferencedTools, faults: FaultList): void {
  const granted = grantsByRole(document, tools);
  for (const entry of document.policies) {
    for (const rule of entry.sequence?.rules ?? []) {
      for (const [index, step] of rule.steps.entries()) {
        const lacking = entry.roles.find((role) => granted.get(role)?.overlaps(tools.matcher(step)) !== true);
        if (lacking === undefined) continue;
        const message = `no permission of the role ${quoted(lacking)} grants ${quoted(step)}: the rule cannot apply`;
        faults.warning("step_not_granted", message, stepPath(rule, index));
      }
      if (rule.kind === "deny") checkNeighbours(rule, tools, faults);
    }
  }
}

/** What each role that has sequence rules is granted, all its entries together. */
function grantsByRole(document: PolicyDocument, tools: ReferencedTools): ReadonlyMap<string, ToolMatcher> {
  const references = new Map<string, Set<string>>();
  for (const entry of document.policies) {
    if (entry.sequence === undefined) continue;
    for (const role of entry.roles) references.set(role, new Set());
  }
  for (const entry of document.policies) {
    for (const role of entry.roles) {
      const granted = references.get(role);
      if (granted === undefined) continue;
      for (const permission of entry.permissions) if (permission.allow) granted.add(permission.tool);
    }
  }
  return new Map(
    [...references].map(([role, granted]) => [
      role,
      compileToolMatcher([...granted].flatMap((reference) => tools.patterns(reference))),
    ]),
  );
}

function checkNeighbours(rule: SequenceRule, tools: ReferencedTools, faults: FaultList): void {
  for (const [index, step] of rule.steps.entries()) {
    const next = rule.steps[index + 1];
    if (next === undefined || !tools.matcher(step).overlaps(tools.matcher(next))) continue;
    const message = `a tool matches both ${quoted(step)} and the next step ${quoted(next)}: calling it twice is enough to be denied`;
    faults.warning("self_adjacent_step", message, stepPath(rule, index + 1));
  }
}

function stepPath(rule: SequenceRule, index: number): DocumentPath {
  return [...rule.at, rule.kind, index];
}
