import type { FoundCode } from "d2-policy/diagnose";

/** A policy in which much can never apply. */
export const IDLE = `metadata:
  name: idle
  expires: 2027-01-22T12:00:00Z
  tool_groups: { g: [b.one, b.two] }
policies:
  - role: r
    permissions:
      - tool: a
        conditions:
          input:
            n: { eq: 7, max: 5 }
            m: { in: [1, 2], min: 3, required: true }
            o: { type: int, gt: 1, lt: 2 }
            p: { type: int, startsWith: a }
            querie.text: { maxLength: 3 }
          output:
            secret: { action: filter }
            user.secret: { action: redact }
            x: { action: redact, not_in: [] }
            y: { type: string, min: 4 }
      - tool: "@g"
        conditions: { output: { secret: { action: filter } } }
      - tool: b.one
        conditions: { output: { secret: { action: deny, required: true } } }
      - tool: b.two
        conditions: { input: { lim: { max: 4 } }, output: { secret: { action: truncate, maxLength: 3 } } }
      - tool: c.*
      - tool: c.x
        allow: false
      - tool: c.x
        conditions: { input: { k: { min: 1 } } }
    sequence:
      - allow: [a, b.one]
      - deny: [b.one, a]
`;

/** A program that guards not quite the same tools. */
export const CODE: FoundCode = {
  scanned: 3,
  dynamic: [{ file: "src/z.ts", line: 3, column: 9, text: "id" }],
  tools: [
    {
      tool: "b.onne",
      file: "src/b.ts",
      line: 23,
      column: 5,
      kind: "function",
      params: undefined,
      argument: "unknown",
    },
    {
      tool: "b.two",
      file: "src/a.ts",
      line: 13,
      column: 5,
      kind: "method",
      params: ["limit"],
      argument: "object",
      closed: true,
    },
    {
      tool: "a",
      file: "src/a.ts",
      line: 3,
      column: 5,
      kind: "function",
      params: ["n", "m", "o", "queries"],
      argument: "positional",
      closed: true,
    },
  ],
};
