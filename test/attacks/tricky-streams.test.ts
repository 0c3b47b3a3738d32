// The bypass: a stream that is judged item by item lets something out beside its items: in what its clean-up throws, in
// an answer that changes between two looks, in its last value, after a refusal, through the stream that it was made of,
// or to a reader who runs its steps as somebody else.

import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { inspect } from "node:util";
import { d2Guard, getUserContext, runAs } from "d2-sdk";
import { beforeEach, describe, expect, it } from "vitest";
import { asAgent, enforce, outcome, outcomeLater, withThen } from "./enforce.js";

const SECRET = "hunter2";
const each = { stream: "each" } as const;
const post = d2Guard("post", () => "sent");

beforeEach(() =>
  enforce([
    {
      role: "agent",
      permissions: [
        {
          tool: "tool",
          conditions: { output: { deny_if_patterns: ["hunter\\d"], ssn: { action: "filter" } } },
        },
        "post",
      ],
    },
  ]),
);

type AnyStream = AsyncIterable<unknown> | Iterable<unknown>;

/** All that a reader can get out of a stream, to its very end and beyond. */
async function allOf(make: () => unknown): Promise<string> {
  const seen: unknown[] = [];
  await asAgent(async () => {
    let stream: unknown;
    try {
      stream = await d2Guard("tool", each, make)();
    } catch (error) {
      seen.push(error);
      return;
    }
    const iterator: AsyncIterator<unknown> | Iterator<unknown> =
      Symbol.asyncIterator in Object(stream)
        ? (stream as AsyncIterable<unknown>)[Symbol.asyncIterator]()
        : (stream as Iterable<unknown>)[Symbol.iterator]();
    for (let step = 0; step < 6; step += 1) {
      try {
        const result = await iterator.next();
        seen.push(result, result.value, result.value);
      } catch (error) {
        seen.push(error);
      }
    }
    try {
      seen.push(await iterator.return?.());
    } catch (error) {
      seen.push(error);
    }
    seen.push(stream);
  });
  return inspect(seen, { depth: 8, showHidden: true });
}

const iterator = (next: () => unknown, more: object = {}): unknown => ({
  next,
  ...more,
  [Symbol.iterator]() {
    return this;
  },
});
const asyncIterator = (next: () => unknown, more: object = {}): unknown => ({
  next,
  ...more,
  [Symbol.asyncIterator]() {
    return this;
  },
});
const changing = (first: unknown, then: unknown): (() => unknown) => {
  let asked = 0;
  return () => {
    asked += 1;
    return asked === 1 ? first : then;
  };
};
const fail = (): never => {
  throw new Error(SECRET);
};
const bad = { note: SECRET };

const streams: [name: string, make: () => unknown][] = [
  ["an item", () => [1, SECRET, 2].values()],
  [
    "the value that a generator ends with",
    () =>
      (function* () {
        yield 1;
        return SECRET;
      })(),
  ],
  [
    "what a generator throws",
    () =>
      (function* () {
        yield 1;
        fail();
      })(),
  ],
  [
    "the clean-up after a refused item",
    () =>
      (function* () {
        try {
          yield bad;
        } finally {
          fail();
        }
      })(),
  ],
  [
    "an item of the clean-up after a refused item",
    () =>
      (function* () {
        try {
          yield bad;
        } finally {
          yield SECRET;
        }
      })(),
  ],
  [
    "a generator that goes on after a refused item",
    () =>
      (function* () {
        for (;;) {
          try {
            yield bad;
          } finally {
            yield bad;
          }
        }
      })(),
  ],
  [
    "a return that cannot be read",
    () =>
      iterator(() => ({ done: false, value: bad }), {
        get return() {
          return fail();
        },
      }),
  ],
  [
    "an answer whose value changes",
    () =>
      iterator(() => Object.defineProperty({ done: true }, "value", { get: changing(undefined, SECRET) })),
  ],
  [
    "an answer whose value changes later",
    () => iterator(() => Object.defineProperty({ done: false }, "value", { get: changing(1, SECRET) })),
  ],
  [
    "an answer whose end changes",
    () => iterator(() => Object.defineProperty({ value: SECRET }, "done", { get: changing(true, false) })),
  ],
  ["an answer with more than that", () => iterator(() => ({ done: true, value: undefined, secret: SECRET }))],
  ["an answer that throws", () => iterator(() => Object.defineProperty({}, "done", { get: fail }))],
  ["an answer that is none", () => iterator(() => SECRET)],
  [
    "a next that cannot be read",
    () => Object.defineProperty({ [Symbol.iterator]: () => [].values() }, "next", { get: fail }),
  ],
  [
    "a stream that cannot be asked whether it is one",
    () => Object.defineProperty({}, Symbol.asyncIterator, { get: fail }),
  ],
  ["a stream that cannot be begun", () => ({ [Symbol.asyncIterator]: fail })],
  ["a stream that begins with nothing", () => ({ [Symbol.asyncIterator]: () => undefined })],
  ["a proxy of a stream", () => new Proxy([SECRET].values(), {})],
  ["an item that is a promise", () => iterator(() => ({ done: false, value: Promise.resolve(SECRET) }))],
  ["an item that is a stream", () => [[SECRET].values()].values()],
  ["an item that only looks done", () => iterator(() => ({ done: 1, value: SECRET }))],
  [
    "an async item",
    () =>
      (async function* () {
        yield 1;
        yield SECRET;
      })(),
  ],
  [
    "the value that an async generator ends with",
    () =>
      (async function* () {
        yield 1;
        return SECRET;
      })(),
  ],
  [
    "what an async generator throws",
    () =>
      (async function* () {
        yield 1;
        fail();
      })(),
  ],
  [
    "the async clean-up after a refused item",
    () =>
      (async function* () {
        try {
          yield bad;
        } finally {
          await setImmediate();
          fail();
        }
      })(),
  ],
  [
    "an async answer whose value changes",
    () =>
      asyncIterator(async () =>
        Object.defineProperty({ done: true }, "value", { get: changing(undefined, SECRET) }),
      ),
  ],
  [
    "an async answer with a `then`",
    () =>
      asyncIterator(() =>
        withThen({}, { value: (done: (value: unknown) => void) => done({ done: false, value: SECRET }) }),
      ),
  ],
  ["a promise of a stream", () => Promise.resolve([SECRET].values())],
  [
    "a web stream",
    () =>
      new ReadableStream({
        start: (it) => {
          it.enqueue(1);
          it.enqueue(SECRET);
        },
      }),
  ],
  ["a web stream that fails", () => new ReadableStream({ start: (it) => it.error(new Error(SECRET)) })],
  [
    "a web stream whose clean-up fails",
    () => new ReadableStream({ start: (it) => it.enqueue(SECRET), cancel: fail }),
  ],
  ["a Node stream", () => Readable.from([1, SECRET])],
  ["a Node stream of bytes", () => Readable.from([Buffer.from(SECRET)])],
  [
    "a Node stream that fails",
    () =>
      new Readable({
        read() {
          this.destroy(new Error(SECRET));
        },
      }),
  ],
];

describe("a stream with a secret in", () => {
  it.each(streams)("%s lets nothing of it out", async (_name, make) => {
    expect(await allOf(make)).not.toContain(SECRET);
  });

  it.each(streams)("%s is refused as it is where its items are not to be judged", async (_name, make) => {
    expect(await asAgent(() => outcomeLater(d2Guard("tool", make)))).toMatch(
      /^output_(validation|sanitization)$/,
    );
  });
});

describe("a stream that is let out", () => {
  it("has every item transformed, and the source is out of reach", async () => {
    const rows = [
      { id: 1, ssn: "1" },
      { id: 2, ssn: "2" },
    ];
    const sources: (() => AnyStream)[] = [
      () => rows.values(),
      () => Readable.from(rows),
      () => Readable.from(rows)[Symbol.asyncIterator](),
    ];
    for (const source of sources) {
      const items: unknown[] = [];
      await asAgent(async () => {
        const stream = d2Guard("tool", each, source)();
        expect(stream).not.toBeInstanceOf(Readable);
        expect(Reflect.ownKeys(stream)).toEqual([]);
        for await (const item of stream) items.push(item);
      });
      expect(items).toEqual([{ id: 1 }, { id: 2 }]);
      expect(rows[0]).toEqual({ id: 1, ssn: "1" });
    }
  });

  it("is over after a refused item, whoever asks for more, all at once or later", async () => {
    let made = 0;
    const stream = asAgent(
      d2Guard("tool", each, async function* () {
        for (;;) {
          made += 1;
          yield made === 2 ? SECRET : made;
        }
      }),
    );
    const steps = await Promise.allSettled(Array.from({ length: 10 }, () => stream.next()));
    expect(steps.map((it) => (it.status === "fulfilled" ? it.value : it.reason.reason))).toEqual([
      { done: false, value: 1 },
      "output_sanitization",
      ...new Array<unknown>(8).fill({ done: true, value: undefined }),
    ]);
    expect(made).toBe(2);
    expect(await stream.throw(new Error("no")).catch(() => "thrown")).toEqual({
      done: true,
      value: undefined,
    });
  });

  it("runs its steps for the user it was made for, whoever reads it", async () => {
    await enforce([
      { role: "agent", permissions: ["tool", "post"], sequence: [{ deny: ["post", "post"] }] },
      { role: "reader", permissions: ["post"] },
    ]);
    const seen: unknown[] = [];
    const items = d2Guard("tool", async function* () {
      for (;;) {
        seen.push([getUserContext().userId, outcome(post)]);
        yield 1;
      }
    });
    await asAgent(async () => {
      const stream = items();
      await runAs("eve", { roles: ["reader"] }, async () => {
        await stream.next();
        expect(outcome(post)).toBe("ok");
        await stream.next();
        expect(getUserContext().callHistory).toEqual(["post"]);
      });
      expect(getUserContext().callHistory).toEqual(["tool", "post", "post"]);
    });
    expect(seen).toEqual([
      ["ann", "ok"],
      ["ann", "sequence_violation"],
    ]);
  });

  it("cannot be made to judge less by taking its methods off", async () => {
    const stream = asAgent(d2Guard("tool", each, () => [SECRET].values()));
    const { next } = stream;
    expect(() => next()).toThrow(TypeError);
    expect(outcome(() => Reflect.apply(next, stream, []))).toBe("output_sanitization");
    for (const key of [Symbol.iterator, "next", "return", "throw", "map", "toArray"]) {
      const method: unknown = Reflect.get(stream, key);
      if (typeof method !== "function") continue;
      expect(inspect(await endOf(() => Reflect.apply(method, stream, [(it: unknown) => it])))).not.toContain(
        SECRET,
      );
    }
  });
});

async function endOf(block: () => unknown): Promise<unknown> {
  try {
    return await block();
  } catch (error) {
    return error;
  }
}
