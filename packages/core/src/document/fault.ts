import type { DocumentPath } from "./document.js";

/** Something wrong with a policy, found while reading or compiling it. Holds no argument or output value. */
export interface Fault {
  /** An error keeps the policy from loading; a warning names what can never apply or never help. */
  readonly severity: "error" | "warning";
  /** Stable, for programs: `unknown_key`, `wrong_type`, `bad_pattern`, ... */
  readonly code: string;
  /** One sentence, lower case, that says what is wrong and how to mend it. */
  readonly message: string;
  readonly path: DocumentPath;
  /** Whether the fault is about the key at `path` or about the value there. */
  readonly at: "key" | "value";
  /** The right word for a misspelt one. */
  readonly suggestion?: string;
}

/** `policies[0].permissions[2].conditions.input["a.b"].min`: a document path as text. */
export function formatDocumentPath(path: DocumentPath): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(part)) text += text === "" ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}
