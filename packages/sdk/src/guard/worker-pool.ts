import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { D2Error } from "d2-core/call";

const require = createRequire(import.meta.url);

/** Which function a worker is to run. */
export interface WorkerTask {
  /** Absolute URL of the module. */
  readonly module: string;
  /** Name of its export. */
  readonly export: string;
  readonly args: readonly unknown[];
}

interface Waiting {
  readonly task: WorkerTask;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Answer = { readonly task: number } & (
  | { readonly value: unknown }
  | { readonly thrown: unknown }
  | { readonly unsendable: true }
);

/**
 * What runs in each thread. It is a text, so that nothing has to be found on disk when an app is bundled. A worker has
 * no user and no policy of its own, so guarded calls in it are refused.
 */
const THREAD = `
const { parentPort } = require("node:worker_threads");
parentPort.on("message", async ({ task, module, name, args }) => {
  let answer;
  try {
    const found = (await import(module))[name];
    if (typeof found !== "function") throw new TypeError("the module of the worker tool has no function \\\`" + name + "\\\`");
    answer = { task, value: await found(...args) };
  } catch (thrown) {
    answer = { task, thrown };
  }
  try {
    parentPort.postMessage(answer);
  } catch {
    parentPort.postMessage({ task, unsendable: true });
  }
});
`;

/** Threads that run worker tools: started when first needed, one task at a time each, never keeping the process alive. */
export class WorkerPool {
  readonly #size: number;
  readonly #idle: Worker[] = [];
  readonly #waiting: Waiting[] = [];
  #started = 0;
  #tasks = 0;

  /** @param size most threads at once; default: one less than the machine's cores, at least one, at most eight */
  constructor(size = Math.min(8, Math.max(1, availableParallelism() - 1))) {
    this.#size = size;
  }

  /** Runs a task in a free thread, or as soon as one is free. Rejects with what the function throws. */
  run(task: WorkerTask): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    const waiting = this.#waiting[0];
    if (waiting === undefined) return;
    const worker = this.#idle.pop() ?? this.#start();
    if (worker === undefined) return;
    this.#waiting.shift();
    this.#give(worker, waiting);
  }

  #start(): Worker | undefined {
    if (this.#started >= this.#size) return undefined;
    this.#started += 1;
    const threads: typeof import("node:worker_threads") = require("node:worker_threads");
    return new threads.Worker(THREAD, { eval: true, stdout: false, stderr: false });
  }

  #give(worker: Worker, { task, resolve, reject }: Waiting): void {
    worker.ref();
    this.#tasks += 1;
    const number = this.#tasks;
    const forget = (): void => {
      worker.off("message", heard).off("error", lost).off("exit", lost);
    };
    const done = (): void => {
      forget();
      worker.unref();
      this.#idle.push(worker);
      this.#next();
    };
    const lost = (): void => {
      forget();
      // A thread may report an error and then its exit: nobody listens to the second.
      worker.on("error", () => undefined);
      void worker.terminate();
      this.#started -= 1;
      reject(new D2Error("worker_lost", "the thread of the worker tool ended before it answered"));
      this.#next();
    };
    const heard = (answer: unknown): void => {
      // The module may send messages of its own, also when its call is long over: they answer nobody's call.
      if (!isAnswer(answer) || answer.task !== number) return;
      done();
      if ("value" in answer) resolve(answer.value);
      else if ("thrown" in answer) reject(answer.thrown);
      else reject(new D2Error("not_cloneable", "what the worker tool gave cannot be sent between threads"));
    };
    worker.on("message", heard).on("error", lost).on("exit", lost);
    try {
      worker.postMessage({ task: number, module: task.module, name: task.export, args: task.args });
    } catch {
      // The error of a failed clone holds the source of what could not be cloned.
      done();
      reject(new D2Error("not_cloneable", "an argument cannot be sent to the worker tool; give plain data"));
    }
  }
}

function isAnswer(message: unknown): message is Answer {
  return typeof message === "object" && message !== null && "task" in message;
}
