import { ConfigurationError } from "d2-core/call";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { loadEngine } from "../src/setup/policy-engine.js";
import { type PolicyEvent, PolicyManager } from "../src/setup/policy-instance.js";
import type { PolicySource, PolicyText } from "../src/source/policy-source.js";
import { LogBook, policyText } from "./policy-folder.js";

/** A source whose changes are made by the test. */
class Script implements PolicySource {
  readonly name = "the script";
  readonly #listeners = new Set<() => void>();
  #now: string | Error;
  closed = false;

  constructor(now: string) {
    this.#now = now;
  }

  async load(): Promise<PolicyText> {
    return this.loadSync();
  }

  loadSync(): PolicyText {
    if (this.#now instanceof Error) throw this.#now;
    return { content: this.#now, format: "yaml", file: "script.yaml", revision: this.#now };
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  /** Another policy, of which nobody is told. */
  put(now: string | Error): void {
    this.#now = now;
  }

  async change(now: string | Error): Promise<void> {
    this.put(now);
    for (const listener of this.#listeners) listener();
    // Whatever follows from it without waiting for a timer.
    await vi.advanceTimersByTimeAsync(0);
  }
}

const secondLook = () => vi.advanceTimersByTimeAsync(1000);
const GOOD = policyText("first");
const BAD = "policies: [{ rol: a }, { role: b, permision: [c] }]";

async function begin(text = GOOD, over: { warnOfExpiry?: boolean; clock?: () => number } = {}) {
  const source = new Script(text);
  const log = new LogBook();
  const settings = {
    instance: "default",
    source,
    hidden: [],
    logger: log,
    notice: undefined,
    warnOfExpiry: over.warnOfExpiry ?? true,
    limits: {},
    strict: false,
    clock: over.clock ?? (() => 0),
  };
  const manager = new PolicyManager(settings, await loadEngine(), await source.load());
  const events: PolicyEvent[] = [];
  manager.onChange((event) => events.push(event));
  return { source, log, manager, events, kinds: () => events.map(({ kind }) => kind) };
}

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

describe("an instance", () => {
  it("says which policy is in force, and that cannot be changed from outside", async () => {
    const { manager } = await begin(GOOD, { clock: () => 42 });
    expect(manager.policy).toMatchObject({ name: "first", loadedAt: 42, expiresAt: undefined });
    expect(manager.policy.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(manager.policy.source).toBe("the script");
    expect(Object.isFrozen(manager.policy)).toBe(true);
  });

  it("does not begin with a faulty policy, and the error has every fault", async () => {
    const fault = await begin(BAD).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(fault).toBeInstanceOf(ConfigurationError);
    const codes = fault instanceof ConfigurationError ? fault.diagnostics : [];
    expect(codes.filter(({ severity }) => severity === "error").length).toBeGreaterThan(1);
  });

  it("swaps the plan in one step when the source has another policy", async () => {
    const { source, manager, kinds } = await begin();
    const before = manager.plan;
    await source.change(policyText("second"));
    expect(manager.policy.name).toBe("second");
    expect(manager.plan).not.toBe(before);
    expect(before?.view(["reader"]).entry("read").denial).toBeUndefined();
    expect(kinds()).toEqual(["loaded"]);
  });

  it("keeps the very plan when the source tells of a change that is none", async () => {
    const { source, manager, kinds } = await begin();
    const { plan, policy } = manager;
    await source.change(GOOD);
    await secondLook();
    expect(manager.plan).toBe(plan);
    expect(manager.policy).toBe(policy);
    expect(kinds()).toEqual([]);
  });

  it("keeps the good policy on a faulty edit, and prints every fault once, however often it is told", async () => {
    const { source, log, manager, kinds } = await begin();
    const { plan } = manager;
    for (let times = 0; times < 3; times += 1) {
      await source.change(BAD);
      await secondLook();
    }
    expect(manager.plan).toBe(plan);
    expect(kinds()).toEqual(["refused"]);
    const [message, ...rest] = log.of("error");
    expect(rest).toEqual([]);
    expect(message).toContain('"first"');
    expect(message).toContain("script.yaml:1:14");
    expect(message).toContain("^^^");
    expect(message?.match(/error\[/g)?.length).toBeGreaterThan(1);
  });

  it("says when a faulty edit is mended, by the policy of before as well as by another", async () => {
    const { source, log, manager, kinds } = await begin();
    await source.change(BAD);
    await secondLook();
    await source.change(GOOD);
    expect(kinds()).toEqual(["refused", "mended"]);
    await source.change(BAD);
    await secondLook();
    await source.change(policyText("second"));
    expect(kinds()).toEqual(["refused", "mended", "refused", "loaded", "mended"]);
    expect(log.of("warn").map((it) => it.includes("mended"))).toEqual([true, true]);
    expect(manager.policy.name).toBe("second");
  });

  it("says nothing of a file that was only half written", async () => {
    const { source, log, manager, kinds } = await begin();
    await source.change(BAD);
    await vi.advanceTimersByTimeAsync(100);
    await source.change(policyText("second"));
    await secondLook();
    expect(manager.policy.name).toBe("second");
    expect(log.of("error")).toEqual([]);
    expect(kinds()).toEqual(["loaded"]);
  });

  it("tells another fault after one that was told", async () => {
    const { source, log } = await begin();
    await source.change(BAD);
    await secondLook();
    await source.change(new ConfigurationError("the file is gone"));
    await secondLook();
    expect(log.of("error")).toHaveLength(2);
    expect(log.of("error")[1]).toContain("the file is gone");
  });

  it("refuses an expired policy in place of one that is not", async () => {
    const { source, manager, log } = await begin(GOOD, { clock: () => Date.UTC(2030, 0) });
    await source.change(`metadata: { expires: 2029-01-01 }\n${"policies: []"}`);
    await secondLook();
    expect(manager.policy.name).toBe("first");
    expect(log.of("error")[0]).toContain("expired");
  });

  it("logs what in a policy can never help, when it is loaded", async () => {
    const { log } = await begin("metadata: { data_flow: { blocks: { X: [a] } } }\npolicies: []");
    expect(log.of("warn")).toHaveLength(1);
    expect(log.of("warn")[0]).toContain("warning[");
  });

  it("goes on when a listener throws", async () => {
    const { source, manager, log, kinds } = await begin();
    const other: string[] = [];
    manager.onChange(() => {
      throw new Error("secret");
    });
    manager.onChange((event) => other.push(event.kind));
    await source.change(policyText("second"));
    expect([...kinds(), ...other]).toEqual(["loaded", "loaded"]);
    expect(log.of("error")).toHaveLength(1);
    expect(log.of("error")[0]).not.toContain("secret");
  });

  it("tells a listener nothing more once it is taken away", async () => {
    const { source, manager } = await begin();
    const told: string[] = [];
    const stop = manager.onChange((event) => told.push(event.kind));
    stop();
    await source.change(policyText("second"));
    expect(told).toEqual([]);
  });
});

describe("reload", () => {
  it("puts in force what the source has now, without waiting to be told", async () => {
    const { source, manager } = await begin();
    source.put(policyText("second"));
    expect((await manager.reload()).name).toBe("second");
    expect(manager.policy.name).toBe("second");
  });

  it("rejects with every fault, and the good policy stays", async () => {
    const { source, manager } = await begin();
    const { plan } = manager;
    source.put(BAD);
    await expect(manager.reload()).rejects.toBeInstanceOf(ConfigurationError);
    expect(manager.plan).toBe(plan);
    source.put(policyText("second"));
    await expect(manager.reload()).resolves.toMatchObject({ name: "second" });
  });

  it("mends a fault that was told", async () => {
    const { source, manager, kinds } = await begin();
    await source.change(BAD);
    await secondLook();
    source.put(GOOD);
    await manager.reload();
    expect(kinds()).toEqual(["refused", "loaded", "mended"]);
  });

  it("rejects once the instance is closed", async () => {
    const { manager } = await begin();
    await manager.close();
    await expect(manager.reload()).rejects.toBeInstanceOf(ConfigurationError);
  });
});

describe("a closed instance", () => {
  it("has no plan, so every call is denied, and leaves no timer behind", async () => {
    const { source, manager } = await begin(`metadata: { expires: 1970-01-02 }\n${"policies: []"}`);
    await source.change(BAD);
    expect(vi.getTimerCount()).toBe(2);
    await manager.close();
    await manager.close();
    expect(manager.plan).toBeUndefined();
    expect(manager.closed).toBe(true);
    expect(source.closed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("takes up nothing that was being loaded", async () => {
    const { source, manager, kinds } = await begin();
    const changed = source.change(policyText("second"));
    await manager.close();
    await changed;
    expect(manager.plan).toBeUndefined();
    expect(kinds()).toEqual([]);
  });
});

describe("an instance whose policy expires", () => {
  const expiring = `metadata: { expires: 1970-01-02 }\n${"policies: []"}`;

  it("warns by its clock", async () => {
    const { log } = await begin(expiring, { clock: () => Date.now() - start });
    await vi.advanceTimersByTimeAsync(2 * 3_600_000);
    expect(log.of("warn")).toHaveLength(3);
    expect(log.of("warn")[2]).toContain("expires in 22 hours, at 1970-01-02T00:00:00.000Z");
    await vi.advanceTimersByTimeAsync(22 * 3_600_000);
    expect(log.of("error")).toHaveLength(1);
  });

  it("warns of nothing when that is not wanted", async () => {
    const { log } = await begin(expiring, { warnOfExpiry: false, clock: () => Date.now() - start });
    await vi.advanceTimersByTimeAsync(22 * 3_600_000);
    expect(log.lines).toEqual([]);
  });

  let start = 0;
  beforeEach(() => {
    start = Date.now();
  });
});
