import type { StarterContent } from "./starter-content.js";
import { commentWord } from "./yaml-words.js";

/** A starter policy as JSON. What would be comments is in its description. */
export function starterJson(content: StarterContent, name: string): string {
  const { reads, writes } = content;
  const ids = (tools: StarterContent["reads"]) => tools.map(({ id }) => id);
  const groups = {
    ...(reads.length > 0 && { read: ids(reads) }),
    ...(writes.length > 0 && { write: ids(writes) }),
  };
  const policy = {
    version: 1,
    metadata: {
      name,
      description: description(content),
      ...(Object.keys(groups).length > 0 && { tool_groups: groups }),
    },
    policies: [
      { role: "admin", permissions: ["*"] },
      { role: "developer", permissions: Object.keys(groups).map((group) => `@${group}`) },
      { role: "viewer", permissions: reads.length > 0 ? ["@read"] : [] },
    ],
  };
  return `${JSON.stringify(policy, null, 2)}\n`;
}

function description({ destructive, refused, dynamic }: StarterContent): string {
  const parts = ["A first policy, written by `d2 init`: go through it and make it yours."];
  if (destructive.length > 0) {
    const names = destructive.map(({ id }) => `\`${id}\``).join(", ");
    parts.push(`To decide who else than admin may call: ${names}.`);
  }
  for (const { reason, places } of refused) {
    parts.push(commentWord(`Left out, ${places.join(" and ")}: ${reason}.`));
  }
  if (dynamic.length > 0) {
    const places = dynamic.map(({ file, line }) => commentWord(`${file}:${line}`)).join(", ");
    parts.push(`Tool ids that only the running program knows, to be added by hand: ${places}.`);
  }
  return parts.join(" ");
}
