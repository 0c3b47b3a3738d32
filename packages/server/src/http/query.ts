import { Problem } from "./problem.js";

/** The query of an address that has none. */
export const NO_QUERY: Readonly<Record<string, string>> = Object.freeze({});

/**
 * The query of a request's address, by name.
 *
 * @throws Problem 400 when a name is there twice, for two readers may not agree on which one counts
 */
export function queryOf(url: string): Readonly<Record<string, string>> {
  const start = url.indexOf("?");
  if (start === -1) return NO_QUERY;
  const query: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(url.slice(start + 1))) {
    if (Object.hasOwn(query, name)) {
      throw new Problem(400, "repeated_parameter", { detail: "a query parameter is there more than once" });
    }
    query[name] = value;
  }
  return query;
}
