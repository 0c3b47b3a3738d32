import { renameSync, symlinkSync, unlinkSync, utimesSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { configureRbac, shutdownAllRbac } from "../src/setup/configure.js";
import type { PolicyManager } from "../src/setup/policy-instance.js";
import { LogBook, nextEvent, PolicyFolder, policyText } from "./policy-folder.js";

afterEach(() => shutdownAllRbac());

async function begin(folder: PolicyFolder, name = "policy.yaml") {
  const logger = new LogBook();
  const manager = await configureRbac({ policyFile: folder.at(name), logger });
  return { manager, logger };
}

/** Whether the role `reader` may call a tool. */
function mayCall({ plan }: PolicyManager, tool: string): boolean {
  return plan !== undefined && plan.view(["reader"]).entry(tool).denial === undefined;
}

describe("file mode", () => {
  it("takes up an edit in place", async () => {
    const folder = new PolicyFolder();
    folder.write("policy.yaml", policyText("first", "read"));
    const { manager } = await begin(folder);
    expect([mayCall(manager, "read"), mayCall(manager, "write")]).toEqual([true, false]);
    const loaded = nextEvent(manager, "loaded");
    folder.write("policy.yaml", policyText("second", "write"));
    expect(await loaded).toMatchObject({ policy: { name: "second" } });
    expect([mayCall(manager, "read"), mayCall(manager, "write")]).toEqual([false, true]);
  });

  it("takes up a file renamed over the old one, and an edit in place of that", async () => {
    const folder = new PolicyFolder();
    folder.write("policy.yaml", policyText("first"));
    const { manager } = await begin(folder);
    const second = nextEvent(manager, "loaded");
    folder.replace("policy.yaml", policyText("second"));
    expect(await second).toMatchObject({ policy: { name: "second" } });
    const third = nextEvent(manager, "loaded");
    folder.write("policy.yaml", policyText("third"));
    expect(await third).toMatchObject({ policy: { name: "third" } });
  });

  it("takes up a swapped link to the folder, as in a mounted ConfigMap", async () => {
    const folder = new PolicyFolder();
    folder.write("..1/policy.yaml", policyText("first"));
    folder.write("..2/policy.yaml", policyText("second"));
    symlinkSync("..1", folder.at("..data"));
    symlinkSync("..data/policy.yaml", folder.at("policy.yaml"));
    const { manager } = await begin(folder);
    const loaded = nextEvent(manager, "loaded");
    symlinkSync("..2", folder.at("..data_tmp"));
    renameSync(folder.at("..data_tmp"), folder.at("..data"));
    expect(await loaded).toMatchObject({ policy: { name: "second" } });
  });

  it("keeps the good policy on a bad edit, prints the diagnostics, and says when it is mended", async () => {
    const folder = new PolicyFolder();
    folder.write("policy.yaml", policyText("first"));
    const { manager, logger } = await begin(folder);
    const { plan } = manager;
    const refused = nextEvent(manager, "refused");
    folder.write("policy.yaml", "policies:\n  - rle: reader\n");
    await refused;
    expect(manager.plan).toBe(plan);
    expect(logger.of("error")).toHaveLength(1);
    expect(logger.of("error")[0]).toMatch(/policy\.yaml:2:5[\s\S]*2 \| {3}- rle: reader\n[\s\S]*\^\^\^/);
    const mended = nextEvent(manager, "mended");
    folder.write("policy.yaml", policyText("second"));
    await mended;
    expect(manager.policy.name).toBe("second");
    expect(logger.of("error")).toHaveLength(1);
    expect(logger.of("warn")).toEqual([expect.stringContaining("is mended")]);
  });

  it("keeps the good policy when the file is deleted, says so, and takes up the next one", async () => {
    const folder = new PolicyFolder();
    folder.write("policy.yaml", policyText("first"));
    const { manager, logger } = await begin(folder);
    const refused = nextEvent(manager, "refused");
    unlinkSync(folder.at("policy.yaml"));
    await refused;
    expect(mayCall(manager, "read")).toBe(true);
    expect(logger.of("error")).toEqual([expect.stringContaining("does not exist")]);
    const loaded = nextEvent(manager, "loaded");
    folder.write("policy.yaml", policyText("second"));
    expect(await loaded).toMatchObject({ policy: { name: "second" } });
  });

  it("keeps the plan when the file is only touched", async () => {
    const folder = new PolicyFolder();
    const path = folder.write("policy.yaml", policyText("first"));
    const { manager } = await begin(folder);
    const names: string[] = [];
    manager.onChange((event) => names.push(event.kind === "loaded" ? event.policy.name : event.kind));
    const loaded = nextEvent(manager, "loaded");
    utimesSync(path, 1, 1);
    folder.replace("policy.yaml", policyText("first"));
    folder.replace("policy.yaml", policyText("second"));
    await loaded;
    expect(names).toEqual(["second"]);
  });

  it("reads JSON by its name", async () => {
    const folder = new PolicyFolder();
    folder.write("policy.json", JSON.stringify({ policies: [{ role: "reader", permissions: ["read"] }] }));
    const { manager } = await begin(folder, "policy.json");
    expect(mayCall(manager, "read")).toBe(true);
  });

  it("loads at once when asked, whatever the watch has seen", async () => {
    const folder = new PolicyFolder();
    folder.write("policy.yaml", policyText("first"));
    const { manager } = await begin(folder);
    folder.write("policy.yaml", policyText("second"));
    expect(await manager.reload()).toMatchObject({ name: "second" });
    folder.write("policy.yaml", "policies: 1");
    await expect(manager.reload()).rejects.toThrow(/policy\.yaml/);
    expect(manager.policy.name).toBe("second");
  });

  it("has a policy end when it expires, though the file stays as it is", async () => {
    const folder = new PolicyFolder();
    folder.write("policy.yaml", "metadata: { expires: 2030-01-01T00:00:00Z }\npolicies: []\n");
    let now = Date.UTC(2029, 0);
    const clock = () => now;
    const manager = await configureRbac({
      policyFile: folder.at("policy.yaml"),
      logger: new LogBook(),
      clock,
    });
    expect(manager.plan?.expiresAt).toBe(Date.UTC(2030, 0));
    expect(manager.policy.expiresAt).toBe(Date.UTC(2030, 0));
    now = Date.UTC(2030, 0);
    await expect(manager.reload()).rejects.toThrow(/expired at 2030-01-01/);
    expect(manager.plan?.expiresAt).toBeLessThanOrEqual(manager.clock());
  });
});
