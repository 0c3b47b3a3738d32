import { AsyncLocalStorage } from "node:async_hooks";
import { runAs } from "d2-sdk";
import { ROLE } from "./policies.js";

/**
 * A loop that always runs in one and the same session, which never ends. Entering it costs once a batch.
 *
 * @param prepare runs first, in the session
 */
export function inOneSession<A, R>(prepare: () => void, loop: (argument: A) => R): (argument: A) => R {
  let enter: ReturnType<typeof AsyncLocalStorage.snapshot> | undefined;
  void runAs("bench", { roles: [ROLE] }, () => {
    prepare();
    enter = AsyncLocalStorage.snapshot();
    return new Promise(() => undefined);
  });
  const inside = enter;
  if (inside === undefined) throw new Error("the session has not begun");
  return (argument) => inside(loop, argument);
}
