import type { ZodType, z } from "zod";
import { Problem } from "./problem.js";

export type Part = "path" | "query" | "header" | "body";

const MAX_ISSUES = 20;
const MAX_SEGMENT = 64;

interface Issue {
  readonly in: Part;
  /** `events[3].event_type`; empty: the part as a whole. */
  readonly path: string;
  /** What is wrong, without the value that was found. */
  readonly message: string;
}

/**
 * What the schema makes of a part of the request; undefined without a schema.
 *
 * @throws Problem 400 `invalid_request` with `issues` that name paths, never values
 */
export function validated<T extends ZodType>(schema: T | undefined, value: unknown, part: Part): z.output<T> {
  // Holds: where a route leaves a schema out, its output type is that of `z.undefined()`.
  if (schema === undefined) return undefined as z.output<T>;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { issues } = result.error;
  throw new Problem(400, "invalid_request", {
    detail: `the ${part} is not as described: see \`issues\``,
    members: { issues: issues.slice(0, MAX_ISSUES).map((issue) => described(issue, part)) },
  });
}

function described(issue: z.core.$ZodIssue, part: Part): Issue {
  return { in: part, path: pathText(issue.path), message: wording(issue) };
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    const name = String(step).slice(0, MAX_SEGMENT);
    return text === "" ? name : `${text}.${name}`;
  }, "");
}

/** Own words: those of the schema library may hold what was sent. */
function wording(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be of type ${issue.expected}`;
    case "too_small":
      return `must be ${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}${unit(issue.origin)}`;
    case "too_big":
      return `must be ${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}${unit(issue.origin)}`;
    case "invalid_format":
      return issue.pattern === undefined
        ? `must have the format ${issue.format}`
        : `must match ${issue.pattern}`;
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    case "unrecognized_keys":
      return "has members that are not known";
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    case "invalid_union":
      return "matches none of the allowed forms";
    case "invalid_key":
      return "has a name that is not allowed";
    case "invalid_element":
      return "has an element that is not allowed";
    case "custom":
      // Written in our schemas, as fixed text.
      return issue.message;
  }
}

function unit(origin: string): string {
  if (origin === "string") return " characters long";
  return origin === "array" || origin === "set" ? " elements long" : "";
}
