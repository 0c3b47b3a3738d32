import { LineIndex, type TextPosition } from "./line-index.js";
import type { PolicyText } from "./policy-text.js";

/** Gives the place of a rule in the text of its policy, or nothing for what is no document path. */
export type Locate = (rule: string) => TextPosition | undefined;

/**
 * Finds the places of rules in the text that their policy was read from: rules are named by document paths
 * (`policies[0].permissions[2].conditions.input.limit`). For a path that is not there, the place of its nearest parent.
 *
 * @param text as `readPolicyText` gives it
 */
export function locateIn(text: PolicyText): Locate {
  const lines = new LineIndex(text.text);
  return (rule) => {
    const path = parseDocumentPath(rule);
    return path === undefined ? undefined : lines.position(text.rangeAt(path, "key").start);
  };
}

/** The parts of a document path as it is written in decisions; nothing when it is none. */
export function parseDocumentPath(path: string): readonly (string | number)[] | undefined {
  const part = /\.?([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;
  const parts: (string | number)[] = [];
  while (part.lastIndex < path.length) {
    const [, name, index, quoted] = part.exec(path) ?? [];
    if (name !== undefined) parts.push(name);
    else if (index !== undefined) parts.push(Number(index));
    else if (quoted !== undefined) {
      const text = unquote(quoted);
      if (text === undefined) return undefined;
      parts.push(text);
    } else return undefined;
  }
  return parts;
}

function unquote(quoted: string): string | undefined {
  try {
    const text: unknown = JSON.parse(quoted);
    return typeof text === "string" ? text : undefined;
  } catch {
    return undefined; // not written by `formatDocumentPath`
  }
}
