import type { Reply } from "../../packages/server/test/running-server.js";
import type { Operation } from "./documented-routes.js";

/** Words of stacks, of databases and of the files that we are made of. */
const INNARDS =
  /\n\s+at |\.[jt]s:\d|node_modules|node:|sqlite|libsql|kysely|postgres|\bselect\b.*\bfrom\b|\binsert into\b|constraint/i;

/** What is wrong with an answer, whoever asked. */
export function faultsOf(operation: Operation, reply: Reply, secrets: readonly string[]): string[] {
  const { status, headers, text, json } = reply;
  const faults: string[] = [];
  if (status >= 500) faults.push(`answers ${status}`);
  if (secrets.some((secret) => text.includes(secret))) faults.push("tells of another account");
  for (const name of [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "set-cookie",
    "server",
    "x-powered-by",
  ]) {
    if (headers.has(name)) faults.push(`has the header ${name}`);
  }
  for (const [name, value] of [
    ["x-content-type-options", "nosniff"],
    ["x-frame-options", "DENY"],
    ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
    ["referrer-policy", "no-referrer"],
    ["cross-origin-resource-policy", "same-origin"],
  ] as const) {
    if (headers.get(name) !== value) faults.push(`lacks the header ${name}`);
  }
  if (headers.get("x-request-id") === null) faults.push("has no id");
  if (status >= 400) {
    if (headers.get("content-type") !== "application/problem+json") faults.push("is no problem document");
    if (json?.status !== status || json?.code !== json?.error) faults.push("contradicts itself");
    if (headers.get("cache-control") !== "no-store") faults.push("may be kept");
    if (INNARDS.test(text)) faults.push("tells of its innards");
  } else if (!operation.statuses.includes(status)) {
    faults.push(`answers ${status}, which is not documented`);
  }
  return faults;
}
