import type { StarterContent, StarterTool } from "./starter-content.js";
import { starterExamples, starterFlow } from "./starter-examples.js";
import { firstPart } from "./tool-verbs.js";
import { commentWord, yamlWord } from "./yaml-words.js";

/** Guards of one tool that a comment names. */
const PLACES_SHOWN = 2;

/** A starter policy as YAML, with comments. */
export function starterYaml(content: StarterContent, name: string, schema: string): string {
  const lines = [
    `# yaml-language-server: $schema=${commentWord(schema)}`,
    "#",
    "# Who may call which tool, and how. Whatever is not granted here is denied.",
    "# A first draft, written by `d2 init`: go through it and make it yours.",
    "#   d2 diagnose   is it sound, and does it fit the code",
    "#   d2 inspect    what it allows, in words",
    "#   d2 test       hold it to what you expect",
    "version: 1",
    "",
    "metadata:",
    `  name: ${yamlWord(name)}`,
    "  # From then on everything is denied:",
    "  # expires: 2030-01-31T00:00:00Z",
    ...groups(content),
    ...starterFlow(content),
    "",
    "policies:",
    ...roles(content),
    ...starterExamples(content),
    ...leftOut(content),
  ];
  return `${lines.join("\n")}\n`;
}

function groups({ reads, writes }: StarterContent): readonly string[] {
  if (reads.length + writes.length === 0) {
    return [
      "",
      "  # Tools under one name, to be granted as `@read`:",
      "  # tool_groups:",
      "  #   read: [crm.lookup]",
    ];
  }
  return [
    "",
    "  # The tools that the code guards, by what their names say. Move them where they belong.",
    "  tool_groups:",
    ...group("read", reads),
    ...group("write", writes),
  ];
}

function group(name: string, tools: readonly StarterTool[]): readonly string[] {
  if (tools.length === 0) return [];
  const parts = new Set(tools.map(({ id }) => firstPart(id)));
  const width = Math.max(...tools.map(({ id }) => yamlWord(id).length));
  let part: string | undefined;
  const lines = [`    ${name}:`];
  for (const tool of tools) {
    if (parts.size > 1 && firstPart(tool.id) !== part) {
      part = firstPart(tool.id);
      lines.push(`      # ${commentWord(part)}`);
    }
    lines.push(`      - ${yamlWord(tool.id).padEnd(Math.min(width, 48))}  # ${places(tool.places)}`);
  }
  return lines;
}

function roles({ reads, writes, destructive }: StarterContent): readonly string[] {
  const granted = [
    ...(reads.length > 0 ? ['      - "@read"'] : []),
    ...(writes.length > 0 ? ['      - "@write"'] : []),
  ];
  return [
    "  # Everything, also tools that come later.",
    "  - role: admin",
    '    permissions: ["*"]',
    "",
    "  # Everything found but what looks destructive.",
    "  - role: developer",
    ...permissions(granted),
    ...(destructive.length === 0
      ? []
      : [
          "      # To decide: these look as if they destroy, pay or run something. Only admin has them so far.",
          ...destructive.map(
            ({ id, places: at }) => `      # - ${commentWord(yamlWord(id))}  # ${places(at)}`,
          ),
        ]),
    "",
    "  # What looks as if it only reads.",
    "  - role: viewer",
    ...permissions(reads.length > 0 ? ['      - "@read"'] : []),
  ];
}

function permissions(granted: readonly string[]): readonly string[] {
  return granted.length === 0 ? ["    permissions: []"] : ["    permissions:", ...granted];
}

function leftOut({ refused, dynamic }: StarterContent): readonly string[] {
  const lines: string[] = [];
  if (refused.length > 0) {
    lines.push("", "# Guarded under an id that a policy cannot name. Rename them in the code:");
    for (const { reason, places: at } of refused) lines.push(`#   ${places(at)}  ${commentWord(reason)}`);
  }
  if (dynamic.length > 0) {
    lines.push("", "# Guarded under an id that only the running program knows. Add these by hand:");
    for (const { file, line, text } of dynamic) {
      lines.push(
        `#   ${commentWord(`${file}:${line}`)}${text === undefined ? "" : `  ${commentWord(text)}`}`,
      );
    }
  }
  return lines;
}

function places(all: readonly string[]): string {
  const shown = all.slice(0, PLACES_SHOWN).map(commentWord).join(", ");
  return all.length > PLACES_SHOWN ? `${shown} and ${all.length - PLACES_SHOWN} more` : shown;
}
