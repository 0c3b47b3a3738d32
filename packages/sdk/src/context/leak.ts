import { consoleLogger } from "../setup/logger.js";
import { instanceSlot } from "../setup/registry.js";
import { isContextSet } from "./user.js";

/**
 * Whether there is a user where none should be, for example at the start of a request. A leak is logged as a warning,
 * without saying who it was.
 */
export function warnIfContextSet(): boolean {
  if (!isContextSet()) return false;
  const logger = instanceSlot().enforcer?.logger ?? consoleLogger;
  logger.warn(
    "a user is set where none was expected; end requests with `runAs`, `clearContext` or the middleware",
  );
  return true;
}
