import type { DocumentPath, Fault } from "d2-core";

/** A warning about something in the policy. */
export function warning(
  code: string,
  message: string,
  path: DocumentPath,
  details: { readonly at?: "key" | "value"; readonly suggestion?: string | undefined } = {},
): Fault {
  return finding("warning", code, message, path, details);
}

/** An error in the policy. */
export function error(
  code: string,
  message: string,
  path: DocumentPath,
  details: { readonly at?: "key" | "value" } = {},
): Fault {
  return finding("error", code, message, path, details);
}

function finding(
  severity: Fault["severity"],
  code: string,
  message: string,
  path: DocumentPath,
  { at = "value", suggestion }: { readonly at?: "key" | "value"; readonly suggestion?: string | undefined },
): Fault {
  const bare = { severity, code, message, path, at };
  return suggestion === undefined ? bare : { ...bare, suggestion };
}
