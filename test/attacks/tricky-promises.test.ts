// The bypass: what a tool gives to wait for is built so that its value comes out without having been judged, or so that
// the call counts as ended, approved or judged when it is not: a `then` that throws, calls back at once, twice or never,
// answers with something of its own, or changes between two looks.

import { setImmediate } from "node:timers/promises";
import { inspect } from "node:util";
import { d2Guard, getUserContext } from "d2-sdk";
import { beforeEach, describe, expect, it } from "vitest";
import { asAgent, enforce, errorOf, outcome, outcomeLater, thenable, withThen } from "./enforce.js";

const SECRET = "hunter2";
const post = d2Guard("post", () => "sent");

beforeEach(() =>
  enforce([
    {
      role: "agent",
      permissions: [
        { tool: "tool", conditions: { output: { deny_if_patterns: ["hunter\\d"] } } },
        "free",
        "post",
      ],
      sequence: [{ deny: ["free", "post"] }, { allow: ["free", "tool", "post"] }],
    },
  ]),
);

class Renamed extends Promise<unknown> {
  // biome-ignore lint/suspicious/noThenProperty: it is the attack
  override then(): never {
    return SECRET as never;
  }
}
class Species extends Promise<unknown> {
  static override get [Symbol.species](): PromiseConstructor {
    return class {
      constructor(run: (...args: unknown[]) => void) {
        run(
          () => undefined,
          () => undefined,
        );
        Object.assign(this, { secret: SECRET });
      }
    } as never;
  }
}
const own = (descriptor: PropertyDescriptor): Promise<unknown> =>
  withThen(Promise.resolve("fine"), descriptor);
const changing = (first: unknown, then: unknown): object => {
  let asked = 0;
  return withThen(
    { secret: SECRET },
    {
      get() {
        asked += 1;
        return asked === 1 ? first : then;
      },
    },
  );
};

/** What the tool gives; each holds the secret, wherever it may be. */
const carriers: [name: string, make: () => unknown][] = [
  ["a promise", () => Promise.resolve(SECRET)],
  ["a promise of a promise of a promise", () => Promise.resolve(Promise.resolve(Promise.resolve(SECRET)))],
  ["a thenable of thenables", () => thenable((done) => done(thenable((inner) => inner(SECRET))))],
  ["a thenable that calls back at once", () => thenable((done) => done(SECRET))],
  ["a thenable that calls back late", () => thenable((done) => void setImmediate().then(() => done(SECRET)))],
  ["a thenable that calls back twice", () => thenable((done) => [done(SECRET), done("fine")])],
  ["a thenable that calls back and throws", () => thenable((done) => [done(SECRET), JSON.parse("{")])],
  [
    "a thenable that throws",
    () =>
      thenable(() => {
        throw new Error(SECRET);
      }),
  ],
  [
    "a thenable that throws no error",
    () =>
      thenable(() => {
        throw SECRET;
      }),
  ],
  ["a thenable that fails", () => thenable((_, failed) => failed(new Error(SECRET)))],
  ["a thenable that fails with a promise", () => thenable((_, failed) => failed(Promise.resolve(SECRET)))],
  [
    "a thenable that answers with it",
    () =>
      thenable((done) => {
        done(SECRET);
        return SECRET;
      }),
  ],
  [
    "a `then` that cannot be read",
    () =>
      withThen(
        {},
        {
          get() {
            throw new Error(SECRET);
          },
        },
      ),
  ],
  [
    "a `then` that can be read only once",
    () => {
      let asked = 0;
      return withThen(
        { secret: SECRET },
        {
          get() {
            asked += 1;
            if (asked > 1) throw new Error(SECRET);
            return () => undefined;
          },
        },
      );
    },
  ],
  ["a `then` that is a function first and then is none", () => changing(() => undefined, undefined)],
  [
    "a `then` that is none first and then is a function",
    () => changing(undefined, (done: (value: unknown) => void) => done(SECRET)),
  ],
  [
    "a function with a `then`",
    () => withThen(() => SECRET, { value: (done: (value: unknown) => void) => done(SECRET) }),
  ],
  ["a promise with a `then` of its own", () => own({ value: () => SECRET })],
  [
    "a promise with a `then` of its own that answers with a promise",
    () => own({ value: () => Promise.resolve(SECRET) }),
  ],
  [
    "a promise with a `then` of its own that calls back",
    () => own({ value: (done: (value: unknown) => void) => done(SECRET) }),
  ],
  ["a promise with an accessor for a `then`", () => own({ get: () => () => SECRET })],
  ["a promise of a class with another `then`", () => Renamed.resolve("fine")],
  ["a promise of a class that says what comes of it", () => Species.resolve(SECRET)],
  [
    "a promise with a constructor of its own",
    () => Object.defineProperty(Promise.resolve(SECRET), "constructor", { value: Species }),
  ],
  [
    "a promise with another prototype",
    () => Object.setPrototypeOf(Promise.resolve("fine"), Renamed.prototype),
  ],
  [
    "what only looks like a promise",
    () => Object.assign(Object.create(Promise.prototype), { secret: SECRET }),
  ],
  ["a proxy of a promise", () => new Proxy(Promise.resolve(SECRET), {})],
  [
    "a proxy that is a promise to whoever asks",
    () => new Proxy({ secret: SECRET }, { getPrototypeOf: () => Promise.prototype }),
  ],
  [
    "a proxy that cannot be asked",
    () =>
      new Proxy(
        { secret: SECRET },
        {
          getPrototypeOf: () => {
            throw new Error(SECRET);
          },
        },
      ),
  ],
  [
    "a promise that holds itself",
    () => {
      const cycle: unknown = new Promise((done) => void setImmediate().then(() => done(cycle)));
      return cycle;
    },
  ],
  ["data under `then`", () => ({ ...Object.fromEntries([["th" + "en", SECRET]]) })],
  ["data under `then` in a promise", () => Promise.resolve(Object.fromEntries([["th" + "en", SECRET]]))],
];

/** How a block ends: with a value, with an error, or not at all as far as can be seen. */
async function endOf(
  block: () => unknown,
): Promise<{ readonly how: "given" | "thrown" | "pending"; readonly what?: unknown }> {
  const end = Promise.resolve()
    .then(block)
    .then(
      (what) => ({ how: "given", what }) as const,
      (what: unknown) => ({ how: "thrown", what }) as const,
    );
  const tired = (async () => {
    for (let turn = 0; turn < 5; turn += 1) await setImmediate();
    return { how: "pending" } as const;
  })();
  return Promise.race([end, tired]);
}

describe("a tool that gives", () => {
  const forms: [string, (make: () => unknown) => () => unknown][] = [
    ["plain", (make) => d2Guard("tool", make)],
    ["told to be async", (make) => d2Guard("tool", { async: true }, make)],
    ["async", (make) => d2Guard("tool", async () => make())],
    ["with onDeny", (make) => d2Guard("tool", { onDeny: "denied" }, make)],
  ];

  it.each(carriers)("%s lets nothing of it out unjudged, in whatever form", async (_name, make) => {
    for (const [form, guarded] of forms) {
      const { what } = await asAgent(() => endOf(guarded(make)));
      expect([form, inspect(what, { depth: 5, showHidden: true })]).toEqual([
        form,
        expect.not.stringContaining(SECRET) as unknown,
      ]);
    }
  });

  it.each(carriers)("%s leaves the session whole: one call, which is over", async (_name, make) => {
    await enforce([
      {
        role: "agent",
        permissions: ["free", "post"],
        // Excused only when the call has come back.
        sequence: { mode: "deny", rules: [{ allow: ["free", "post"] }, { allow: ["free"] }] },
      },
    ]);
    await asAgent(async () => {
      const { how } = await endOf(d2Guard("free", make));
      expect(getUserContext().callHistory).toEqual(["free"]);
      expect(outcome(post)).toBe(how === "given" ? "ok" : "sequence_violation");
    });
  });
});

describe("a promise that never settles", () => {
  it.each<[string, () => unknown]>([
    ["a promise", () => new Promise(() => undefined)],
    ["a thenable", () => thenable(() => undefined)],
    ["a promise whose own `then` never calls back", () => own({ value: () => undefined })],
  ])("(%s) approves nothing and lets nothing out", async (_name, make) => {
    await asAgent(async () => {
      d2Guard("free", () => 1)();
      let settled = false;
      const result = d2Guard("tool", make)();
      void Promise.resolve(result).finally(() => {
        settled = true;
      });
      await setImmediate();
      expect(settled).toBe(false);
      expect(outcome(post)).toBe("sequence_violation");
    });
  });
});

describe("a result that has become something to wait for", () => {
  it("after it was given is judged as it is when the call ends", async () => {
    const value: object = {};
    const promise = new Promise((resolve) => resolve(value));
    withThen(value, { value: (done: (value: unknown) => void) => done(SECRET) });
    expect(await asAgent(() => outcomeLater(d2Guard("tool", () => promise)))).toBe("output_validation");
  });

  it("while its call is refused stays refused, and is waited for once", async () => {
    let asked = 0;
    const lazy = thenable((done) => {
      asked += 1;
      done(SECRET);
    });
    const error = await asAgent(() => errorOf(d2Guard("tool", () => lazy)));
    expect(error).toMatchObject({ reason: "output_sanitization" });
    expect(asked).toBe(1);
  });
});

describe("something to wait for that works when it is waited for", () => {
  it("works as part of its tool: for its user, inside its call", async () => {
    await enforce([
      {
        role: "agent",
        permissions: ["tool", "inner"],
        sequence: { mode: "deny", rules: [{ allow: ["tool", "inner"] }, { allow: ["tool"] }] },
      },
    ]);
    const inner = d2Guard("inner", () => getUserContext().userId);
    const lazy = d2Guard("tool", () => thenable((done) => done(inner())));
    expect(await asAgent(lazy)).toBe("ann");
    const waiting = asAgent(() =>
      d2Guard("tool", () => thenable((done) => void setImmediate().then(() => done(inner()))))(),
    );
    expect(await waiting).toBe("ann");
  });
});
