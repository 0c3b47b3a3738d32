import { configureRbac, type Logger, runAs } from "d2-sdk";

/** A logger that keeps every line. */
export function recorder(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const write = (message: string): void => void lines.push(message);
  return { lines, debug: write, info: write, warn: write, error: write };
}

/** Puts a policy in force through the public set-up, in silence. */
export async function enforce(
  policies: readonly object[],
  metadata: object = {},
  options: { readonly instance?: string; readonly logger?: Logger; readonly clock?: () => number } = {},
): Promise<void> {
  await configureRbac({ policy: { metadata, policies }, logger: recorder(), ...options });
}

/** One permission for the role `agent`, with conditions. */
export function permission(tool: string, conditions: object): object {
  return { role: "agent", permissions: [{ tool, conditions }] };
}

/** Runs a block for a user with the role `agent`. */
export function asAgent<T>(block: () => T): T {
  return runAs("ann", { roles: ["agent"] }, block);
}

/** What became of a call: `ok`, or the reason for which it was refused. Anything else that it throws goes on. */
export function outcome(call: () => unknown): string {
  try {
    call();
    return "ok";
  } catch (error) {
    return reasonOf(error);
  }
}

/** The same for a call that gives a promise. */
export async function outcomeLater(call: () => unknown): Promise<string> {
  try {
    await call();
    return "ok";
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "reason" in error && "decision" in error) {
    return String(error.reason);
  }
  throw error;
}

/** The error that a block throws or rejects with. */
export async function errorOf(block: () => unknown): Promise<unknown> {
  try {
    await block();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** An object with this `then`, which makes it something to wait for. */
export function thenable(
  then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => unknown,
): object {
  return withThen({}, { value: then });
}

/** The same object, with a `then` of its own. */
export function withThen<T extends object>(value: T, then: PropertyDescriptor): T {
  return Object.defineProperty(value, ["t", "hen"].join(""), {
    enumerable: true,
    configurable: true,
    ...then,
  });
}
