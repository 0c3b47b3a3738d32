import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * @typedef {"runtime" | "developer" | "admin"} TokenKind
 *
 * @typedef {object} Step
 * @property {Request} request
 * @property {Expectation} expect
 * @property {Record<string, string>} [save] Variables by name: `body:path`, `header:Name`, `bundle:path` of the payload.
 *
 * @typedef {object} Request
 * @property {string} method
 * @property {string} path
 * @property {Record<string, string | number>} [query]
 * @property {Record<string, string>} [headers]
 * @property {string} [token] A kind, or the text of a token (a placeholder).
 * @property {unknown} [json]
 * @property {string} [text]
 * @property {import("./publisher.mjs").Signing} [sign]
 *
 * @typedef {object} Expectation
 * @property {number | number[]} status
 * @property {Record<string, string | null>} [headers] Patterns; null: the header must not be there.
 * @property {unknown} [body] What the JSON body must match.
 * @property {string} [text] The pattern of a body that is no JSON; empty: there must be none.
 * @property {string | string[]} [problem] The code of the problem document that it must be.
 * @property {{ header?: unknown, payload?: unknown }} [bundle] What the verified `jws` of the body must match.
 *
 * @typedef {object} Case
 * @property {string} id
 * @property {string} section Of the protocol page; `9`: only our control plane has it.
 * @property {string} name
 * @property {TokenKind[]} [needs]
 * @property {string} [note]
 * @property {Step[]} steps
 */

/**
 * All cases, in the order of the files' names, which is the order in which they run.
 *
 * @param {string} folder
 * @returns {Case[]}
 */
export function readCases(folder) {
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  /** @type {Case[]} */
  const cases = files.sort().flatMap((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
  const ids = cases.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new Error(`there are two cases \`${twice}\``);
  return cases;
}
