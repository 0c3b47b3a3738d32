import { z } from "zod";
import type { NewEvent } from "../storage/storage.js";
import { INSTANT } from "./instant-text.js";

type Payload = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Payload {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const MAX_PATH = 256;

/** One usage event as clients send it. */
export const USAGE_EVENT = z.object({
  event_type: z
    .string()
    .regex(/^[\w.-]{1,128}$/)
    .describe("Such as `authz_decision`"),
  payload: z.custom<Payload>(isRecord, "must be an object"),
  occurred_at: INSTANT,
});

/** The event as it is kept. */
export function storedForm({
  event_type: type,
  payload,
  occurred_at: occurredAt,
}: z.output<typeof USAGE_EVENT>): NewEvent {
  return {
    type,
    occurredAt,
    tool: text(payload["tool_id"]),
    user: text(payload["user_id"]),
    result: text(payload["result"]),
    reason: text(payload["reason"]),
    payload: JSON.stringify(withoutValues(payload)),
  };
}

function text(value: unknown): string | null {
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : null;
}

/** Violations tell what was in an argument or an output; what is kept of them is where, and by which rule. */
function withoutValues(payload: Payload): Payload {
  if (!Object.hasOwn(payload, "violations")) return payload;
  const { violations, ...rest } = payload;
  return { ...rest, violations: Array.isArray(violations) ? violations.flatMap(placeOf) : [] };
}

/** Of a violation that is a text nothing is kept, for nobody can say which part of it is a value. */
function placeOf(violation: unknown): readonly Payload[] {
  if (!isRecord(violation)) return [];
  const { path, operator } = violation;
  if (typeof path !== "string" || path.length > MAX_PATH) return [];
  return typeof operator === "string" && /^[A-Za-z_]{1,32}$/.test(operator)
    ? [{ path, operator }]
    : [{ path }];
}
