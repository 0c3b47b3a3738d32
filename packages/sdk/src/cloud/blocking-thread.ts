import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { ConfigurationError, D2Error } from "d2-core/call";
import { checkSignature } from "./check-signature.js";
import { httpGet } from "./http-get.js";
import type { Step, Steps } from "./steps.js";

const require = createRequire(import.meta.url);

/** Milliseconds beyond a request's own that the thread is given, mostly to start. */
const GRACE = 20_000;

/**
 * What runs in the thread. A text, so that nothing but `jose` has to be found on disk; what it does is the text of the
 * functions that run everywhere else.
 */
const thread = (): string => `
const get = ${httpGet.toString()};
const check = ${checkSignature.toString()};
const perform = async (step, jose) => {
  if (step.kind === "get") return get(step.request, AbortSignal.timeout(step.request.timeoutMs));
  return check(await import(jose), step.task);
};
import("node:worker_threads").then(({ workerData: { port, flag, jose } }) => {
  port.on("message", async (step) => {
    let answer;
    try {
      answer = { value: await perform(step, jose) };
    } catch {
      answer = { failed: true };
    }
    port.postMessage(answer);
    Atomics.add(flag, 0, 1);
    Atomics.notify(flag, 0);
  });
});
`;

/**
 * Runs a conversation while the caller waits: a thread does what takes time. Nothing else of this thread runs
 * meanwhile, so the control plane must not be in it.
 *
 * @throws ConfigurationError where `jose` cannot be found on disk; D2Error when the thread does not answer
 */
export function runStepsBlocking<T>(steps: Steps<T>): T {
  const threads: typeof import("node:worker_threads") = require("node:worker_threads");
  const { port1, port2 } = new threads.MessageChannel();
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { port: port2, flag, jose: locateJose() };
  // Without the arguments of this process, which may be for its own program only (`--input-type`, `--import`).
  const options = { eval: true, execArgv: [], workerData, transferList: [port2] };
  const worker = new threads.Worker(thread(), options);
  worker.unref();
  const ask = (step: Step): unknown => {
    const seen = Atomics.load(flag, 0);
    port1.postMessage(step);
    const limit = GRACE + (step.kind === "get" ? step.request.timeoutMs : 0);
    if (Atomics.wait(flag, 0, seen, limit) === "timed-out") throw lost();
    const message: { message: { value?: unknown; failed?: true } } | undefined =
      threads.receiveMessageOnPort(port1);
    if (message === undefined || message.message.failed === true) throw lost();
    return message.message.value;
  };
  try {
    let turn = steps.next();
    while (turn.done !== true) {
      const step = turn.value;
      turn = steps.next(step.kind === "pause" ? sleep(step.milliseconds) : ask(step));
    }
    return turn.value;
  } finally {
    port1.close();
    void worker.terminate();
  }
}

const lost = () =>
  new D2Error(
    "worker_lost",
    "the thread of the blocking set-up does not answer: `await configureRbac()` instead",
  );

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function locateJose(): string {
  try {
    return pathToFileURL(require.resolve("jose")).href;
  } catch (cause) {
    const message = "`configureRbacSync` needs the package `jose` on disk: `await configureRbac()` instead";
    throw new ConfigurationError(message, [], { cause });
  }
}
