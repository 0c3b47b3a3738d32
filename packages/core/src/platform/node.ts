import { types } from "node:util";

/** Whether a value is a `Proxy`, whose answers may change from one read to the next. Runs none of its traps. */
export function isProxy(value: unknown): boolean {
  return types.isProxy(value);
}
