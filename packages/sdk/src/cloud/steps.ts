import type { Later } from "../setup/expiry-warnings.js";
import { checkSignature, type SignatureTask } from "./check-signature.js";
import { type HttpReply, type HttpRequest, httpGet } from "./http-get.js";

/**
 * What talking to the control plane has to wait for. The conversation itself is a generator that yields these, so that
 * it is written once, and runs while the caller waits as well as without blocking.
 */
export type Step =
  | { readonly kind: "get"; readonly request: HttpRequest }
  | { readonly kind: "check"; readonly task: SignatureTask }
  | { readonly kind: "pause"; readonly milliseconds: number };

/** A conversation that ends with a `T`. */
export type Steps<T> = Generator<Step, T, unknown>;

export function* get(request: HttpRequest): Steps<HttpReply> {
  // A cast: whoever runs the steps answers each with what its kind gives.
  return (yield { kind: "get", request }) as HttpReply;
}

export function* check(task: SignatureTask): Steps<boolean> {
  return (yield { kind: "check", task }) === true;
}

export function* pause(milliseconds: number): Steps<void> {
  yield { kind: "pause", milliseconds };
}

/** Runs a conversation without blocking. `signal` ends what is waited for, as a time that is over would. */
export async function runSteps<T>(steps: Steps<T>, later: Later, signal: AbortSignal): Promise<T> {
  let turn = steps.next();
  while (turn.done !== true) turn = steps.next(await perform(turn.value, later, signal));
  return turn.value;
}

async function perform(step: Step, later: Later, signal: AbortSignal): Promise<unknown> {
  switch (step.kind) {
    case "get":
      return getInTime(step.request, later, signal);
    case "check":
      // Loaded when there is something to check: an app whose policy is a file never needs it.
      return checkSignature(await import("jose"), step.task);
    case "pause":
      return pauseUntil(step.milliseconds, later, signal);
  }
}

async function getInTime(request: HttpRequest, later: Later, signal: AbortSignal): Promise<HttpReply> {
  const limit = new AbortController();
  const callOff = later(request.timeoutMs, () => limit.abort());
  const end = () => limit.abort();
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  try {
    return await httpGet(request, limit.signal);
  } finally {
    callOff();
    signal.removeEventListener("abort", end);
  }
}

function pauseUntil(milliseconds: number, later: Later, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      callOff();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const callOff = later(milliseconds, done);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}
