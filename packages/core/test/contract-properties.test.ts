import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CanonicalError, canonicalJson } from "../src/canonical/canonical-json.js";
import { ALLOW_ALL } from "../src/contract/built-in-policies.js";
import { decideSafe } from "../src/contract/decide-safe.js";
import { decisionToDblEvent } from "../src/contract/decision-event.js";
import { frozenCopy } from "../src/contract/frozen-copy.js";
import { CONTEXT_KEYS, PolicyContext } from "../src/contract/policy-context.js";
import type { Policy, PolicyVerdict } from "../src/contract/policy-decision.js";
import { PolicyDecision } from "../src/contract/policy-decision.js";

const thrower = {
  get: () => {
    throw new Error("secret");
  },
};

/** Makers of values that a careless or hostile caller may hand over. */
const hostile = (): fc.Arbitrary<() => unknown> =>
  fc.oneof(
    fc
      .anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withSparseArray: true })
      .map((value) => () => value),
    fc.constantFrom<() => unknown>(
      () => new Proxy({}, { get: thrower.get, ownKeys: thrower.get, getPrototypeOf: thrower.get }),
      () => Object.defineProperty({}, "capability", { get: thrower.get, enumerable: true }),
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      },
      () => Symbol("secret"),
      () => () => "secret",
      () => Promise.resolve("secret"),
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tried.
      () => ({ then: () => undefined, outcome: "ALLOW", reasonCode: "ok" }),
      () => ({ outcome: "ALLOW", reasonCode: "ok" }),
      () => ({ outcome: "ALLOW", reasonCode: "\ud800" }),
      () => ({ outcome: "ALLOW" }),
      () => "\ud800",
      () => new String("boxed"),
    ),
  );

const integer = (value: number): number =>
  (Number.isSafeInteger(value) ? value : Math.trunc(value % 1000)) + 0;

const data = (): fc.Arbitrary<unknown> =>
  fc
    .jsonValue({ maxDepth: 4 })
    .map((value) => JSON.parse(JSON.stringify(value), (_, v) => (typeof v === "number" ? integer(v) : v)));

/** Often a name that can be one, so that what comes after it is reached. */
const named = (): fc.Arbitrary<() => unknown> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(() => "p") }, { weight: 1, arbitrary: hostile() });

describe("decideSafe", () => {
  it("never throws, whatever the policy, the tenant and the inputs do", () => {
    fc.assert(
      fc.property(named(), named(), hostile(), named(), hostile(), (...makers) => {
        const [id, version, answer, tenant, inputs] = makers.map((make) => make());
        const policy = { policyId: id, policyVersion: version, evaluate: () => answer };
        for (const given of [policy, id, answer]) {
          for (const context of [inputs, { extensions: inputs }, {}]) {
            // What is no policy and no tenant by its type is the point.
            const decision = decideSafe(given as Policy, tenant as string, context);
            expect(decision).toBeInstanceOf(PolicyDecision);
            expect(decisionToDblEvent(decision, "c").canonical).not.toContain("secret");
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("survives a policy whose every property throws, and names another in its place", () => {
    const policy = Object.defineProperties(
      {},
      { policyId: thrower, policyVersion: thrower, evaluate: thrower },
    ) as Policy; // has the properties, each worse than absent
    const decision = decideSafe(policy, "t", {});
    expect([decision.outcome, decision.reasonCode]).toEqual(["DENY", "evaluation_error"]);
    expect([decision.policyId, decision.policyVersion]).toEqual(["d2.invalid_policy", "0"]);
  });

  it("believes a policy neither its identity, nor its tenant, nor its digest", () => {
    const liar = new PolicyDecision({
      outcome: "ALLOW",
      reasonCode: "ok",
      policyId: "other",
      policyVersion: "9",
      tenantId: "other",
      authoritativeDigest: "0".repeat(64),
    });
    const policy: Policy = { policyId: "p", policyVersion: "1", evaluate: () => liar };
    const { policyId, policyVersion, tenantId, authoritativeDigest } = decideSafe(policy, "t", {});
    expect([policyId, policyVersion, tenantId]).toEqual(["p", "1", "t"]);
    expect(authoritativeDigest).toBe(new PolicyContext("t", {}).authoritativeDigest);
  });

  it("reads a policy's names once, before the policy decides", () => {
    let name = "first";
    const policy: Policy = {
      get policyId() {
        return name;
      },
      policyVersion: "1",
      evaluate: () => {
        name = "second";
        return { outcome: "ALLOW", reasonCode: "ok" };
      },
    };
    expect(decideSafe(policy, "t", {}).policyId).toBe("first");
  });

  it("takes a promise for no decision, and lets it fail in silence", async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): unknown => unhandled.push(reason);
    process.on("unhandledRejection", listen);
    const evaluate = (): PolicyVerdict => Promise.reject(new Error("late")) as unknown as PolicyVerdict;
    const decision = decideSafe({ policyId: "p", policyVersion: "1", evaluate }, "t", {});
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", listen);
    expect([decision.outcome, decision.reasonCode, unhandled]).toEqual(["DENY", "evaluation_error", []]);
  });

  it("classifies by phase, whatever class was thrown", () => {
    for (const thrown of [new TypeError("x"), new RangeError("x"), "x", null, new CanonicalError("x", [])]) {
      const evaluate = (): PolicyVerdict => {
        throw thrown;
      };
      const policy = { policyId: "p", policyVersion: "1", evaluate };
      expect(decideSafe(policy, "t", {}).reasonCode).toBe("evaluation_error");
      expect(decideSafe(policy, "t", { x: 1 }).reasonCode).toBe("unknown_context_key");
      expect(decideSafe(policy, "t", { x: 1.5 }).reasonCode).toBe("invalid_input");
    }
  });

  it.each(["", "a\nb", "\ud800", "x".repeat(257), "\u{1f600}".repeat(257)])(
    "denies the tenant %j",
    (tenant) => {
      const decision = decideSafe(ALLOW_ALL, tenant, {});
      expect([decision.outcome, decision.reasonCode]).toEqual(["DENY", "invalid_input"]);
      expect(decision.tenantId).toBe("d2.invalid_tenant");
    },
  );

  it("accepts ids of 256 characters, counted as code points", () => {
    expect(decideSafe(ALLOW_ALL, "\u{1f600}".repeat(256), {}).outcome).toBe("ALLOW");
  });
});

describe("the inputs as a policy sees them", () => {
  it("cannot be changed by it, at any depth", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...CONTEXT_KEYS), data()), (inputs) => {
        const before = canonicalJson(inputs);
        const change = (value: unknown): void => {
          if (typeof value !== "object" || value === null) return;
          for (const key of Reflect.ownKeys(value)) {
            if (key !== "length") expect(Reflect.set(value, key, "changed")).toBe(false);
            expect(Reflect.deleteProperty(value, key)).toBe(false);
          }
          expect(Reflect.set(value, "added", 1)).toBe(false);
          for (const inner of Object.values(value)) change(inner);
        };
        let seen = "";
        const evaluate = (context: PolicyContext): PolicyVerdict => {
          change(context.inputs);
          expect(Reflect.set(context, "tenantId", "other")).toBe(false);
          seen = canonicalJson(context.inputs);
          return { outcome: "ALLOW", reasonCode: "ok" };
        };
        const decision = decideSafe({ policyId: "p", policyVersion: "1", evaluate }, "t", inputs);
        expect(decision.outcome).toBe("ALLOW");
        expect(seen).toBe(before);
      }),
      { numRuns: 200 },
    );
  });

  it("do not change when the caller's own do", () => {
    const inputs = { extensions: { list: [1] } };
    const context = new PolicyContext("t", inputs);
    inputs.extensions.list.push(2);
    expect(canonicalJson(context.inputs)).toBe('{"extensions":{"list":[1]}}');
  });

  it("are the same number whether they came as a number or as a bigint", () => {
    expect(new PolicyContext("t", { input_bytes: 5n }).inputs.input_bytes).toBe(5);
    expect(new PolicyContext("t", { input_bytes: 2n ** 60n }).inputs.input_bytes).toBe(2n ** 60n);
  });
});

describe("a frozen copy", () => {
  it("is made of exactly what has canonical JSON, and has the same", () => {
    const textOf = (write: () => string): string => {
      try {
        return write();
      } catch (error) {
        return error instanceof CanonicalError ? "refused" : "threw";
      }
    };
    const maker = fc.oneof(
      hostile(),
      data().map((value) => () => value),
    );
    fc.assert(
      fc.property(maker, (make) => {
        const given = make();
        expect(textOf(() => canonicalJson(frozenCopy(given)))).toBe(textOf(() => canonicalJson(given)));
      }),
      { numRuns: 500 },
    );
  });

  it("stops at the same depth as canonical JSON", () => {
    const nested = (depth: number): unknown => {
      let value: unknown = 0;
      for (let level = 0; level < depth; level++) value = [value];
      return value;
    };
    expect(canonicalJson(frozenCopy(nested(128)))).toBe(canonicalJson(nested(128)));
    expect(() => frozenCopy(nested(129))).toThrow(CanonicalError);
  });
});
