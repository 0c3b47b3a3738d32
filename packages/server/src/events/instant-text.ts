import { z } from "zod";

const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

/** A time in ISO 8601 with its offset, as milliseconds since 1970. */
export const INSTANT = z
  .string()
  .regex(TIME)
  .transform((text, context) => {
    const instant = Date.parse(text);
    if (!Number.isNaN(instant)) return instant;
    context.addIssue({ code: "custom", message: "must be a time that exists" });
    return z.NEVER;
  })
  .describe("ISO 8601 with offset, such as `2027-01-31T00:00:00Z`");
