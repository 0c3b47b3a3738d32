import { mismatches } from "./match.mjs";

/**
 * @param {string} name
 * @param {string | null} pattern
 * @param {string | null} value
 */
export function headerFaults(name, pattern, value) {
  if (pattern === null) return value === null ? [] : [`the header \`${name}\` must not be there`];
  if (value === null) return [`the header \`${name}\` is missing`];
  return new RegExp(pattern, "u").test(value)
    ? []
    : [`the header \`${name}\` must match ${pattern}, is ${value}`];
}

/**
 * @param {import("./run.mjs").Reply} reply
 * @param {string[]} codes
 */
export function problemFaults({ status, headers, json }, codes) {
  const type = headers.get("content-type") ?? "nothing";
  const member = { $oneOf: codes };
  return [
    ...(/^application\/problem\+json\b/.test(type)
      ? []
      : [`the type must be application/problem+json, is ${type}`]),
    ...mismatches(
      { status, title: { $type: "string" }, type: { $type: "string" }, code: member, error: member },
      json,
    ),
  ];
}
