import type { StarterContent, StarterTool } from "./starter-content.js";
import { commentWord, flowWord, yamlWord } from "./yaml-words.js";

/**
 * What data flow looks like, as comments at the place where it belongs: without their `# ` they are sound, and speak
 * of tools that were found where there are such.
 */
export function starterFlow(content: StarterContent): readonly string[] {
  const { source, target } = subjects(content);
  return [
    "",
    "  # What has been read must not leave: the label stays with the session, and blocks the other tool.",
    ...commented("  ", [
      "data_flow:",
      `  labels: { ${flowWord(source)}: [PERSONAL] }`,
      `  blocks: { PERSONAL: [${flowWord(target)}] }`,
    ]),
  ];
}

/** What conditions and sequences look like, as comments. Entries of the same role add up. */
export function starterExamples(content: StarterContent): readonly string[] {
  const { source, target, param } = subjects(content);
  return [
    "",
    "  # More that can be said of a role, added to what it has above:",
    ...commented("  ", [
      "- role: developer",
      "  permissions:",
      `    - tool: ${yamlWord(source)}`,
      "      conditions:",
      "        # Arguments that break a rule are refused.",
      "        input:",
      `          ${yamlWord(param)}: { type: string, maxLength: 200 }`,
      "        # What is found in the result, at any depth, is cleaned before it leaves.",
      "        output:",
      "          email: { action: redact }",
      "          password: { action: filter }",
      "  sequence:",
      `    - deny: [${flowWord(source)}, ${flowWord(target)}]`,
      "      reason: what was read must not be sent on",
    ]),
  ];
}

interface Subjects {
  readonly source: string;
  readonly target: string;
  readonly param: string;
}

/** Two tools to speak of, and an argument of the first. */
function subjects({ reads, writes }: StarterContent): Subjects {
  const named = ({ params }: StarterTool) => params.some(isPlainName);
  const source = reads.find(named) ?? reads[0] ?? writes.find(named);
  const target = writes.find(({ id }) => id !== source?.id) ?? reads.find(({ id }) => id !== source?.id);
  if (source === undefined || target === undefined) {
    return { source: "crm.lookup", target: "email.send", param: "query" };
  }
  return { source: source.id, target: target.id, param: source.params.find(isPlainName) ?? "query" };
}

function isPlainName(name: string): boolean {
  return /^[A-Za-z_]\w*$/.test(name);
}

function commented(indent: string, lines: readonly string[]): readonly string[] {
  return lines.map((line) => `${indent}# ${commentWord(line)}`);
}
