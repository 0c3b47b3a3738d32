// The bypass: a user comes to a role that nobody gave: by a role named like the policy's wildcard, by roles in a form
// that is read as something else (a string, a set, a list that changes), or by a role that the policy's own words hold.

import { setImmediate } from "node:timers/promises";
import {
  check,
  configureRbac,
  d2Guard,
  getUserContext,
  isContextSet,
  runAs,
  setUser,
  setUserContext,
} from "d2-sdk";
import { headersExtractor } from "d2-sdk/node";
import { beforeEach, describe, expect, it } from "vitest";
import { asAgent, enforce, errorOf, outcome, recorder } from "./enforce.js";

const read = d2Guard("read", () => "rows");
const drop = d2Guard("drop", () => "dropped");

beforeEach(() =>
  enforce([
    { role: "admin", permissions: ["*"] },
    { role: ["agent", "reader"], permissions: ["read"] },
    { role: "banned", permissions: [{ tool: "*", allow: false }] },
  ]),
);

describe("a user's role", () => {
  it.each([
    ["*"],
    ["admin*"],
    ["a*"],
    ["?"],
    [".*"],
    ["*.*"],
    ["@admin"],
    ["admin,agent"],
    ["admin\0"],
    ["role"],
    ["policies"],
  ])("named %j is a name that no policy has", (role) => {
    expect(runAs("ann", { roles: [role] }, () => [outcome(read), outcome(drop)])).toEqual([
      "rbac_denied",
      "rbac_denied",
    ]);
    expect(runAs("ann", { roles: [role, "agent"] }, () => [outcome(read), outcome(drop)])).toEqual([
      "ok",
      "rbac_denied",
    ]);
  });

  it.each([["*"], [["agent", "*"]]])("cannot be given to %j by a policy", async (role) => {
    for (const key of ["role", "roles"]) {
      const policy = { policies: [{ [key]: role, permissions: ["*"] }] };
      expect(await errorOf(() => configureRbac({ policy, logger: recorder() }))).toMatchObject({
        code: "configuration_error",
      });
    }
  });

  it("that forbids is not outweighed by one that grants all, in whatever order and however often", () => {
    for (const roles of [
      ["admin", "banned"],
      ["banned", "admin"],
      [...new Array<string>(50).fill("admin"), "banned"],
    ]) {
      expect(runAs("ann", { roles }, () => outcome(read))).toBe("rbac_denied");
    }
  });

  it("among ten thousand others counts, and only that one", () => {
    const roles = Array.from({ length: 10_000 }, (_, index) => `role-${index}`);
    expect(runAs("ann", { roles }, () => outcome(read))).toBe("rbac_denied");
    expect(runAs("ann", { roles: [...roles, "reader"] }, () => [outcome(read), outcome(drop)])).toEqual([
      "ok",
      "rbac_denied",
    ]);
  });
});

describe("roles", () => {
  const changing = new Proxy(["agent"], {
    get: (target, key, receiver) =>
      key === "0" && isContextSet() ? "admin" : Reflect.get(target, key, receiver),
  });
  class Lying extends Array<string> {
    override some(): boolean {
      return true;
    }
    override map<U>(): U[] {
      return [];
    }
  }
  it.each<[string, unknown]>([
    ["a string", "admin"],
    ["a boxed string", Object("admin")],
    ["a set", new Set(["admin"])],
    ["an object with a length", { 0: "admin", length: 1 }],
    ["something that can be iterated", { [Symbol.iterator]: () => ["admin"].values() }],
    ["a function", () => ["admin"]],
    ["a promise", Promise.resolve(["admin"])],
    ["null", null],
    ["true", true],
    ["a list with a list in it", [["admin"]]],
    ["a list with a boxed string in it", [Object("admin")]],
    ["a list with something like a string in it", [{ toString: () => "admin" }]],
    ["a list with a hole in it", new Array(1)],
    ["a list that claims to be right", Lying.of(Object("admin"))],
  ])("given as %s leave no user and no roles", (_form, roles) => {
    const options = { roles } as { roles: string[] };
    let ran = false;
    const note = (): void => {
      ran = true;
    };
    expect(() => runAs("ann", options, note)).toThrow(TypeError);
    expect(ran).toBe(false);
    asAgent(() => {
      expect(() => setUser("ann", options)).toThrow(TypeError);
      expect(outcome(read)).toBe("no_context");
    });
    asAgent(() => {
      expect(() => setUserContext("ann", options)).toThrow(TypeError);
      expect(outcome(read)).toBe("no_context");
    });
  });

  it("are those of the moment at which they were given", async () => {
    const roles = ["agent"];
    let asked = 0;
    const shifty = {
      get roles() {
        asked += 1;
        return asked === 1 ? ["agent"] : ["admin"];
      },
    };
    await runAs("ann", { roles }, async () => {
      roles[0] = "admin";
      roles.push("admin");
      await setImmediate();
      expect([outcome(read), outcome(drop)]).toEqual(["ok", "rbac_denied"]);
    });
    expect(runAs("ann", shifty, () => [outcome(read), outcome(drop)])).toEqual(["ok", "rbac_denied"]);
    expect(runAs("ann", { roles: changing }, () => [outcome(read), outcome(drop)])).toEqual([
      "ok",
      "rbac_denied",
    ]);
  });

  it("that are shown cannot be changed into others", async () => {
    const error = await asAgent(() => errorOf(drop));
    asAgent(() => {
      const shown = getUserContext().roles as string[];
      expect(() => shown.push("admin")).toThrow(TypeError);
      expect(outcome(drop)).toBe("rbac_denied");
      expect(() => (Reflect.get(Object(error), "roles") as string[]).push("admin")).toThrow(TypeError);
      expect(check("drop").outcome).toBe("deny");
    });
  });

  it("from headers are names between commas, and a wildcard there is nobody's", () => {
    const of = (roles: string): string[] => {
      const user = headersExtractor({ headers: { "x-d2-user": "ann", "x-d2-roles": roles } });
      return user === undefined
        ? []
        : runAs(user.userId, { roles: user.roles ?? [] }, () => [outcome(read), outcome(drop)]);
    };
    expect(of("*")).toEqual(["rbac_denied", "rbac_denied"]);
    expect(of("agent, *")).toEqual(["ok", "rbac_denied"]);
    expect(of('["admin"]')).toEqual(["rbac_denied", "rbac_denied"]);
    expect(of("")).toEqual(["rbac_denied", "rbac_denied"]);
  });
});

describe("a user id", () => {
  it.each<[string, unknown]>([
    ["empty", ""],
    ["a number", 0],
    ["a boxed string", Object("ann")],
    ["a list of one", ["ann"]],
    ["null", null],
    ["missing", undefined],
  ])("that is %s is nobody", (_form, id) => {
    expect(() => runAs(id as string, { roles: ["admin"] }, read)).toThrow(TypeError);
    asAgent(() => {
      expect(() => setUser(id as string, { roles: ["admin"] })).toThrow(TypeError);
      expect(outcome(read)).toBe("no_context");
    });
  });
});
