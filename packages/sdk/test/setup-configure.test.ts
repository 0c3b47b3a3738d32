import { BundleExpiredError, ConfigurationError, PolicyTooLargeError, TooManyToolsError } from "d2-core/call";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  configureRbac,
  configureRbacAsync,
  configureRbacSync,
  getPolicyManager,
  shutdownAllRbac,
  shutdownRbac,
} from "../src/setup/configure.js";
import { loadEngine } from "../src/setup/policy-engine.js";
import { instanceSlot } from "../src/setup/registry.js";
import { type RbacOptions, readSettings } from "../src/setup/settings.js";
import { LogBook, PolicyFolder, policyText } from "./policy-folder.js";

beforeEach(async () => {
  for (const name of ["D2_TOKEN", "D2_DECISION_LOG", "D2_POLICY_FILE", "D2_SILENT", "D2_STRICT_SYNC"]) {
    vi.stubEnv(name, undefined);
  }
  await loadEngine();
});
afterEach(async () => {
  await shutdownAllRbac();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const policy = policyText("own");
const logger = new LogBook();

describe("set-up", () => {
  it("puts the policy of the default instance in force for guards that were made before", async () => {
    const slot = instanceSlot();
    const manager = await configureRbac({ policy, logger });
    expect(slot.enforcer).toBe(manager);
    expect(getPolicyManager()).toBe(manager);
    expect(manager.plan?.view(["reader"]).entry("read").denial).toBeUndefined();
  });

  it("is the same by its other name, and done when it returns in its blocking form", async () => {
    expect(configureRbacAsync).toBe(configureRbac);
    const manager = configureRbacSync({ policy: { policies: [] }, logger });
    expect(getPolicyManager()).toBe(manager);
  });

  it("keeps named instances apart", async () => {
    const other = await configureRbac({ policy: policyText("other"), instance: "other", logger });
    await configureRbac({ policy, logger });
    expect(getPolicyManager("other")).toBe(other);
    expect(getPolicyManager().policy.name).toBe("own");
  });

  it("a second time replaces the policy in one step and closes the old instance", async () => {
    const first = await configureRbac({ policy, logger });
    const slot = instanceSlot();
    const seen = new Set<unknown>();
    const pending = configureRbac({ policy: policyText("second"), logger });
    seen.add(slot.enforcer?.plan);
    const second = await pending;
    seen.add(slot.enforcer?.plan);
    expect(seen).toEqual(new Set([expect.anything(), second.plan]));
    expect(first.closed).toBe(true);
  });

  it("that fails leaves the instance of before in force", async () => {
    const first = await configureRbac({ policy, logger });
    await expect(configureRbac({ policy: "policies: 1", logger })).rejects.toThrow(ConfigurationError);
    expect(() => configureRbacSync({ policy: "policies: 1", logger })).toThrow(ConfigurationError);
    expect(getPolicyManager()).toBe(first);
    expect(first.plan).toBeDefined();
  });

  it("twice at once ends with the one that was asked for last", async () => {
    const names = ["a", "b", "c"];
    await Promise.all(names.map((name) => configureRbac({ policy: policyText(name), logger })));
    expect(getPolicyManager().policy.name).toBe("c");
  });

  it("under way when another or a shut-down is asked for comes too late", async () => {
    const late = configureRbac({ policy, logger });
    const second = configureRbacSync({ policy: policyText("second"), logger });
    expect((await late).closed).toBe(true);
    expect(getPolicyManager()).toBe(second);
    const third = configureRbac({ policy, logger });
    await shutdownRbac();
    expect((await third).closed).toBe(true);
    expect(() => getPolicyManager()).toThrow(ConfigurationError);
    expect(instanceSlot().enforcer).toBeUndefined();
  });

  it("asked for after a shut-down, before that is done, stays", async () => {
    await configureRbac({ policy, logger });
    const down = shutdownRbac();
    const second = configureRbacSync({ policy: policyText("second"), logger });
    const other = shutdownRbac("other");
    const third = configureRbac({ policy: policyText("third"), instance: "other", logger });
    await Promise.all([down, other]);
    expect(getPolicyManager()).toBe(second);
    expect(getPolicyManager("other")).toBe(await third);
  });

  it.each([
    ["an expired policy", "metadata: { expires: 2001-01-01 }\npolicies: []", {}, BundleExpiredError],
    ["too many tools", "policies: [{ role: a, permissions: [b, c] }]", { maxTools: 1 }, TooManyToolsError],
    ["too large a policy", "policies: []", { maxBundleBytes: 5 }, PolicyTooLargeError],
    ["a faulty policy", "polices: []", {}, ConfigurationError],
  ])("throws for %s", async (_, text, limits, kind) => {
    const folder = new PolicyFolder();
    const policyFile = folder.write("policy.yaml", text);
    await expect(configureRbac({ policy: text, limits, logger })).rejects.toBeInstanceOf(kind);
    await expect(configureRbac({ policyFile, limits, logger })).rejects.toBeInstanceOf(kind);
    expect(() => configureRbacSync({ policyFile, limits, logger })).toThrow(kind);
    expect(instanceSlot().enforcer).toBeUndefined();
  });
});

describe("shut-down", () => {
  it("takes the policy away at once, and a set-up brings one back", async () => {
    const manager = await configureRbac({ policy, logger });
    const done = shutdownRbac();
    expect(instanceSlot().enforcer).toBeUndefined();
    expect(manager.plan).toBeUndefined();
    await done;
    await configureRbac({ policy, logger });
    expect(getPolicyManager().plan).toBeDefined();
  });

  it("of one instance leaves the others, of all none", async () => {
    await configureRbac({ policy, logger });
    await configureRbac({ policy, logger, instance: "other" });
    await shutdownRbac("other");
    expect(() => getPolicyManager("other")).toThrow(/`other` is not set up/);
    expect(getPolicyManager().plan).toBeDefined();
    await shutdownAllRbac();
    expect(() => getPolicyManager()).toThrow(ConfigurationError);
  });

  it("of an instance that is not there does nothing", async () => {
    await expect(shutdownRbac("never")).resolves.toBeUndefined();
  });
});

describe("the options", () => {
  const refusal = async (options: object): Promise<string> => {
    // A cast, because the types refuse these already.
    const outcome = await configureRbac(options as RbacOptions).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(ConfigurationError);
    return outcome instanceof Error ? outcome.message : "";
  };

  it.each([
    ["policy_file", "policyFile"],
    ["PolicyFile", "policyFile"],
    ["path", "policyFile"],
    ["instanceName", "instance"],
    ["maxTools", "limits"],
  ])("refuse `%s` and suggest `%s`", async (name, meant) => {
    const message = await refusal({ policy, [name]: 1 });
    expect(message).toContain(`unknown option \`${name}\`: did you mean \`${meant}\`?`);
  });

  it("name those that are known for one that is near none", async () => {
    expect(await refusal({ policy, toString: 1 })).toContain("known are `policyFile`, `policy`, `token`");
    expect(await refusal(JSON.parse('{"__proto__": 1}'))).toContain("unknown option `__proto__`");
  });

  it("take `undefined` for absent", async () => {
    const manager = await configureRbac({
      policy,
      logger,
      policyFile: undefined,
      instance: undefined,
      limits: undefined,
      strict: undefined,
      clock: undefined,
      ...{ token: undefined },
    });
    expect(manager.instance).toBe("default");
  });

  it.each([
    ["both a policy and a file", { policy, policyFile: "p.yaml" }],
    ["an instance without a name", { policy, instance: "" }],
    ["an instance that is no string", { policy, instance: 1 }],
    ["a logger without all methods", { policy, logger: { warn() {} } }],
    ["a limit of zero", { policy, limits: { maxTools: 0 } }],
    ["a limit that is no number", { policy, limits: { maxBundleBytes: "8" } }],
    ["a limit that is not known", { policy, limits: { maxRoles: 3 } }],
    ["limits that are no object", { policy, limits: null }],
    ["a `strict` that is a word", { policy, strict: "yes" }],
    ["a clock that is a number", { policy, clock: 0 }],
    ["a policy that is null", { policy: null }],
    ["a path in place of a policy", { policy: "./policy.yaml" }],
  ])("refuse %s", async (_, options) => {
    await refusal(options);
  });

  it("override the environment", async () => {
    vi.stubEnv("D2_POLICY_FILE", "/nowhere/policy.yaml");
    vi.stubEnv("D2_STRICT_SYNC", "on");
    expect((await configureRbac({ policy, logger })).strict).toBe(true);
    expect((await configureRbac({ policy, logger, strict: false })).strict).toBe(false);
    await expect(configureRbac({ logger })).rejects.toThrow(/`D2_POLICY_FILE` names/);
  });
});

describe("switches", () => {
  it.each(["1", "true", "yes", "on", "TRUE", "Yes", "oN"])("are on for %s", (value) => {
    expect(readSettings({ policy }, { D2_STRICT_SYNC: value }).strict).toBe(true);
  });

  it.each(["", "0", "false", "no", "off", "2", "y", " 1", "enabled"])("are off for %j", (value) => {
    expect(readSettings({ policy }, { D2_STRICT_SYNC: value }).strict).toBe(false);
  });
});

describe("the start notice", () => {
  it("is one line on standard error that names the policy, its file, and what the file hides", async () => {
    const written = vi.spyOn(console, "error").mockReturnValue(undefined);
    const folder = new PolicyFolder();
    const path = folder.write("named.yaml", policy);
    const hidden = folder.write("config/d2/policy.yaml", "");
    vi.stubEnv("D2_POLICY_FILE", path);
    vi.stubEnv("XDG_CONFIG_HOME", folder.at("config"));
    await configureRbac();
    expect(written).toHaveBeenCalledTimes(1);
    const [line] = written.mock.calls[0] ?? [];
    expect(line).toMatch(
      /^d2: the policy "own" \(sha256:[0-9a-f]{16}\) from .* is in force; it hides [^\n]*$/,
    );
    expect(line).toContain(path);
    expect(line).toContain(hidden);
  });

  it("goes to a logger that was given, and names an instance that is not the default one", async () => {
    const log = new LogBook();
    await configureRbac({ policy, logger: log, instance: "other" });
    expect(log.lines).toEqual([
      {
        level: "info",
        message: expect.stringContaining('from the `policy` option is in force for the instance "other"'),
      },
    ]);
  });

  it("is silenced by D2_SILENT", async () => {
    vi.stubEnv("D2_SILENT", "yes");
    const written = vi.spyOn(console, "error").mockReturnValue(undefined);
    const log = new LogBook();
    await configureRbac({ policy });
    await configureRbac({ policy, logger: log });
    expect(written).not.toHaveBeenCalled();
    expect(log.lines).toEqual([]);
  });
});

describe("a logger that fails", () => {
  it("breaks nothing, whether it throws or rejects", async () => {
    const failing = {
      debug: () => undefined,
      info: () => {
        throw new Error("disk full");
      },
      warn: () => Promise.reject(new Error("disk full")),
      error: () => undefined,
    };
    const manager = await configureRbac({ policy, logger: failing });
    expect(manager.logger.warn("still here")).toBeUndefined();
  });
});
