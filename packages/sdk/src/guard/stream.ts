import { type Decision, decideItems, decideThrown, type OutputPlan, type Release } from "d2-core/call";
import { type Scope, scopes } from "../context/scope.js";
import { isInnerRefusal } from "./refuse.js";

/** How the items of a guarded stream are treated. */
export interface ItemGuard {
  /** The rules each item is judged by; absent: every item passes. */
  readonly output: OutputPlan | undefined;
  /** The level in which the function was called; every step of the stream runs in it. */
  readonly body: Scope;
  /**
   * Told once, when the stream is over. Without `denial` and not `failed`: it came to its own end, or the reader left.
   * `denial`: an item, or what the source threw, was refused.
   */
  readonly end: (ending: { readonly failed: boolean; readonly denial?: Decision }) => void;
  /** Gives what stands in place of a refused item, or throws. */
  readonly refuse: (decision: Decision) => unknown;
}

/** Whether the value yields items over time: an iterator, an async iterator, or a web or Node stream. */
export function isStream(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  if (value instanceof ReadableStream) return true;
  return isAsyncIterable(value) || isIterator(value);
}

/**
 * The same stream with every item judged, and every step run in the context in which the stream was made. A
 * generator stays a generator, an iterator an iterator, a web stream a web stream; what is only async iterable (a
 * Node stream) comes back as an async iterator.
 */
export function guardItems(value: unknown, guard: ItemGuard): unknown {
  if (value instanceof ReadableStream) return webStream(value, guard);
  if (isAsyncIterable(value)) {
    const source = inBody(guard, () => value[Symbol.asyncIterator]());
    return new AsyncItems(source, guard);
  }
  if (isIterator(value)) return new Items(value, guard);
  throw new TypeError("a generator function must give an iterator");
}

function inBody<T>(guard: ItemGuard, step: () => T): T {
  return scopes.run(guard.body, step);
}

/** Judges items one after the other; after a refusal or a failure nothing more comes. */
class ItemJudge {
  readonly #guard: ItemGuard;
  readonly #judge: ((item: unknown) => Release) | undefined;
  over = false;

  constructor(guard: ItemGuard) {
    this.#guard = guard;
    this.#judge = guard.output === undefined ? undefined : decideItems(guard.output);
  }

  /** The step with its item as it may leave, or the denial. An end without a value has no item. */
  release({ done, value }: Step): { readonly step: Step } | { readonly denial: Decision } {
    const release =
      this.#judge === undefined || (done && value === undefined) ? undefined : this.#judge(value);
    if (release !== undefined && release.decision.outcome !== "allow") return { denial: release.decision };
    if (done) this.finish({ failed: false });
    return { step: { done, value: release === undefined ? value : release.value } };
  }

  finish(ending: Parameters<ItemGuard["end"]>[0]): void {
    this.over = true;
    this.#guard.end(ending);
  }

  /** What to do about something the source threw: throws it, or its refusal, or gives what stands in its place. */
  thrown(error: unknown): IteratorResult<unknown> {
    const inner = isInnerRefusal(this.#guard.body, error);
    const denial = inner ? undefined : decideThrown(this.#guard.output, error);
    this.finish(denial === undefined ? { failed: true } : { failed: true, denial });
    if (denial === undefined) throw error;
    return { done: false, value: this.#guard.refuse(denial) };
  }
}

/** A step of a stream. */
type Step = IteratorResult<unknown, unknown> & { readonly done: boolean };

/** What a source says of a step, each part read once: it may be an accessor that answers otherwise the next time. */
function readStep({ done, value }: IteratorResult<unknown, unknown>): Step {
  return { done: Boolean(done), value };
}

class Items implements Generator<unknown, unknown, unknown> {
  readonly #source: Iterator<unknown, unknown, unknown>;
  readonly #guard: ItemGuard;
  readonly #items: ItemJudge;

  constructor(source: Iterator<unknown, unknown, unknown>, guard: ItemGuard) {
    this.#source = source;
    this.#guard = guard;
    this.#items = new ItemJudge(guard);
  }

  next(...sent: [] | [unknown]): IteratorResult<unknown, unknown> {
    return this.#step(() => this.#source.next(...sent));
  }

  return(value?: unknown): IteratorResult<unknown, unknown> {
    return this.#step(() => this.#source.return?.(value) ?? { done: true, value });
  }

  throw(error?: unknown): IteratorResult<unknown, unknown> {
    return this.#step(() => {
      if (this.#source.throw === undefined) throw error;
      return this.#source.throw(error);
    });
  }

  [Symbol.iterator](): this {
    return this;
  }

  [Symbol.dispose](): void {
    this.return();
  }

  get [Symbol.toStringTag](): string {
    return "Generator";
  }

  #step(advance: () => IteratorResult<unknown, unknown>): IteratorResult<unknown, unknown> {
    if (this.#items.over) return { done: true, value: undefined };
    let step: Step;
    try {
      step = inBody(this.#guard, () => readStep(advance()));
    } catch (error) {
      return this.#items.thrown(error);
    }
    const released = this.#items.release(step);
    if ("step" in released) return released.step;
    if (!step.done) {
      try {
        inBody(this.#guard, () => this.#source.return?.());
      } catch {
        // The refusal is the answer; what the clean-up throws was never judged.
      }
    }
    this.#items.finish({ failed: false, denial: released.denial });
    return { done: false, value: this.#guard.refuse(released.denial) };
  }
}

class AsyncItems implements AsyncGenerator<unknown, unknown, unknown> {
  readonly #source: AsyncIterator<unknown, unknown, unknown>;
  readonly #guard: ItemGuard;
  readonly #items: ItemJudge;
  /** Steps are taken one after the other, as a generator of its own would. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(source: AsyncIterator<unknown, unknown, unknown>, guard: ItemGuard) {
    this.#source = source;
    this.#guard = guard;
    this.#items = new ItemJudge(guard);
  }

  next(...sent: [] | [unknown]): Promise<IteratorResult<unknown, unknown>> {
    return this.#queue(() => this.#source.next(...sent));
  }

  return(value?: unknown): Promise<IteratorResult<unknown, unknown>> {
    return this.#queue(
      async () => (await this.#source.return?.(value)) ?? { done: true, value: await value },
    );
  }

  throw(error?: unknown): Promise<IteratorResult<unknown, unknown>> {
    return this.#queue(() => {
      if (this.#source.throw === undefined) throw error;
      return this.#source.throw(error);
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  get [Symbol.toStringTag](): string {
    return "AsyncGenerator";
  }

  #queue(
    advance: () => Promise<IteratorResult<unknown, unknown>>,
  ): Promise<IteratorResult<unknown, unknown>> {
    const step = this.#last.then(
      () => this.#step(advance),
      () => this.#step(advance),
    );
    this.#last = step;
    return step;
  }

  async #step(
    advance: () => Promise<IteratorResult<unknown, unknown>>,
  ): Promise<IteratorResult<unknown, unknown>> {
    if (this.#items.over) return { done: true, value: undefined };
    let step: Step;
    try {
      step = await inBody(this.#guard, async () => readStep(await advance()));
    } catch (error) {
      return await this.#items.thrown(error);
    }
    const released = this.#items.release(step);
    if ("step" in released) return released.step;
    if (!step.done) {
      try {
        await inBody(this.#guard, () => this.#source.return?.());
      } catch {
        // The refusal is the answer; what the clean-up throws was never judged.
      }
    }
    this.#items.finish({ failed: false, denial: released.denial });
    return { done: false, value: await this.#guard.refuse(released.denial) };
  }
}

function webStream(source: ReadableStream<unknown>, guard: ItemGuard): ReadableStream<unknown> {
  const items = new AsyncItems(
    inBody(guard, () => source[Symbol.asyncIterator]()),
    guard,
  );
  return new ReadableStream({
    async pull(controller) {
      const step = await items.next();
      if (step.done === true) controller.close();
      else controller.enqueue(step.value);
    },
    async cancel() {
      await items.return();
    },
  });
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown, unknown, unknown> {
  return hasMethod(value, Symbol.asyncIterator);
}

function isIterator(value: unknown): value is Iterator<unknown, unknown, unknown> {
  return hasMethod(value, "next") && hasMethod(value, Symbol.iterator);
}

function hasMethod(value: unknown, key: string | symbol): boolean {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, key) === "function";
}
