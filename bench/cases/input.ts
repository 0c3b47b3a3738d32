import { Ajv } from "ajv";
import { configureRbac, d2Guard } from "d2-sdk";
import { z } from "zod";
import type { Figure } from "../figure.js";
import { largePolicy, silent } from "../policies.js";
import { inOneSession } from "../session-loop.js";
import { timeSideBySide } from "../timing.js";

interface Query {
  readonly limit: number;
  readonly status: string;
  readonly table: string;
}

const QUERIES: readonly Query[] = Array.from({ length: 64 }, (_, n) => ({
  limit: 1 + n,
  status: n % 2 === 0 ? "open" : "closed",
  table: `table_${n}`,
}));

const CONDITIONS = {
  input: {
    limit: { type: "int", min: 1, max: 1000 },
    status: { in: ["open", "closed", "pending"] },
    table: { minLength: 1, maxLength: 40 },
  },
};

export async function measure(): Promise<Figure[]> {
  const permissions = ["bench.free", { tool: "bench.checked", conditions: CONDITIONS }];
  await configureRbac({ policy: largePolicy({ permissions }), logger: silent });
  const schema = z.object({
    limit: z.number().int().min(1).max(1000),
    status: z.enum(["open", "closed", "pending"]),
    table: z.string().min(1).max(40),
  });
  const validate = new Ajv().compile({
    type: "object",
    properties: {
      limit: { type: "integer", minimum: 1, maximum: 1000 },
      status: { enum: ["open", "closed", "pending"] },
      table: { type: "string", minLength: 1, maxLength: 40 },
    },
  });
  const each =
    (call: (query: Query) => unknown) =>
    (times: number): unknown => {
      let last: unknown;
      for (let n = 0; n < times; n += 1)
        last = call(QUERIES[n & 63] ?? QUERIES[0] ?? { limit: 1, status: "", table: "" });
      return last;
    };
  const guarded = (id: string) =>
    inOneSession(() => undefined, each(d2Guard(id, (query: Query) => query.limit)));
  const ns = timeSideBySide({
    free: guarded("bench.free"),
    checked: guarded("bench.checked"),
    zod: each((query) => schema.parse(query)),
    ajv: each((query) => validate(query)),
  });
  const added = ns.checked - ns.free;
  return [
    { what: "3 input rules add, snapshot included", unit: "ns", value: added, atMost: 150 },
    { what: "3 input rules, beside zod on the same checks", unit: "x", value: added / ns.zod, atMost: 1.2 },
    { what: "zod", unit: "ns", value: ns.zod },
    { what: "ajv (compiles its checks with `new Function`, makes no copy)", unit: "ns", value: ns.ajv },
  ];
}
