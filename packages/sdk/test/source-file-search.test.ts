import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { ConfigurationError } from "d2-core/call";
import { describe, expect, it } from "vitest";
import { configHome } from "../src/setup/environment.js";
import { findPolicyFile } from "../src/source/file-search.js";
import { PolicyFolder } from "./policy-folder.js";

function places(over: { policyFile?: string | URL; named?: string; noHome?: true } = {}) {
  const folder = new PolicyFolder();
  mkdirSync(folder.at("here"));
  const found = () =>
    findPolicyFile({
      policyFile: over.policyFile,
      named: over.named,
      configHome: over.noHome ? undefined : folder.at("config"),
      folder: folder.at("here"),
    });
  return { folder, found };
}

function fault(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return error instanceof Error ? error.message : "";
  }
  throw new Error("nothing was thrown");
}

describe("the search for the policy file", () => {
  it("prefers the file that D2_POLICY_FILE names, and says what it hides", () => {
    const { folder, found } = places({ named: "../named.yaml" });
    const path = folder.write("named.yaml", "");
    const hidden = [folder.write("config/d2/policy.json", ""), folder.write("here/policy.yml", "")];
    expect(found()).toEqual({ path, hidden });
  });

  it("prefers the user's configuration to the current folder", () => {
    const { folder, found } = places();
    const path = folder.write("config/d2/policy.yml", "");
    const hidden = [folder.write("here/policy.yaml", ""), folder.write("here/policy.json", "")];
    expect(found()).toEqual({ path, hidden });
  });

  it.each(["policy.yaml", "policy.yml", "policy.json"])("finds %s in the current folder", (name) => {
    const { folder, found } = places();
    const path = folder.write(`here/${name}`, "");
    expect(found()).toEqual({ path, hidden: [] });
  });

  it("finds no file of another name", () => {
    const { folder, found } = places();
    folder.write("here/policy.txt", "");
    folder.write("here/d2/policy.yaml", "");
    folder.write("config/policy.yaml", "");
    expect(found).toThrow(ConfigurationError);
  });

  it("ends with the option `policyFile`, a path or a URL", () => {
    const folder = new PolicyFolder();
    const path = folder.write("a b/own.yaml", "");
    folder.write("policy.yaml", "");
    const search = (policyFile: string | URL) =>
      findPolicyFile({ policyFile, named: "other.yaml", configHome: undefined, folder: folder.path });
    for (const given of ["a b/own.yaml", path, pathToFileURL(path), pathToFileURL(path).href]) {
      expect(search(given)).toEqual({ path, hidden: [] });
    }
    expect(() => search(new URL("https://example.org/policy.yaml"))).toThrow(ConfigurationError);
  });

  it("refuses two policies in the place that wins, and lists the places", () => {
    const { folder, found } = places();
    folder.write("here/policy.yaml", "");
    folder.write("here/policy.json", "");
    const message = fault(found);
    expect(message).toContain("`policy.yaml` and `policy.json` are both there");
    expect(message).toContain(folder.at("config/d2/policy.{yaml,yml,json}"));
    expect(message).toContain("`d2 init`");
  });

  it("refuses a D2_POLICY_FILE that does not exist, though another place has a policy", () => {
    const { folder, found } = places({ named: "gone.yaml" });
    folder.write("here/policy.yaml", "");
    const message = fault(found);
    expect(message).toContain("`D2_POLICY_FILE` names `gone.yaml`, which does not exist");
    expect(message).toContain(folder.at("here/policy.{yaml,yml,json}"));
    expect(message).toContain("`d2 init`");
  });

  it("refuses a `policyFile` that does not exist", () => {
    const { folder, found } = places({ policyFile: "gone.yaml" });
    folder.write("here/policy.yaml", "");
    expect(fault(found)).toContain("`policyFile` names `gone.yaml`, which does not exist");
  });

  it("lists all places, and names `d2 init`, when there is none anywhere", () => {
    const { folder, found } = places();
    const message = fault(found);
    expect(message).toContain("D2_POLICY_FILE (not set)");
    expect(message).toContain(folder.at("config/d2/policy.{yaml,yml,json}"));
    expect(message).toContain(folder.at("here/policy.{yaml,yml,json}"));
    expect(message).toContain("`d2 init`");
  });

  it("does without the user's configuration for a user who has no home", () => {
    const { folder, found } = places({ noHome: true });
    const path = folder.write("here/policy.yaml", "");
    expect(found()).toEqual({ path, hidden: [] });
  });

  it("stays with a link that leads nowhere rather than go on to the next place", () => {
    const { folder, found } = places();
    mkdirSync(folder.at("config/d2"), { recursive: true });
    symlinkSync("gone", folder.at("config/d2/policy.yaml"));
    folder.write("here/policy.yaml", "");
    expect(found().path).toBe(folder.at("config/d2/policy.yaml"));
  });

  it.skipIf(process.getuid?.() === 0)("stops at a place that it cannot look into", () => {
    const { folder, found } = places();
    folder.write("config/d2/policy.yaml", "");
    folder.write("here/policy.yaml", "");
    chmodSync(folder.at("config"), 0);
    const message = fault(found);
    chmodSync(folder.at("config"), 0o700);
    expect(message).toContain("cannot look for a policy");
  });
});

describe("the user's folder for configuration", () => {
  it("is $XDG_CONFIG_HOME where that is an absolute path, else ~/.config", () => {
    expect(configHome({ XDG_CONFIG_HOME: "/etc/x", HOME: "/home/u" })).toBe("/etc/x");
    expect(configHome({ XDG_CONFIG_HOME: "", HOME: "/home/u" })).toBe("/home/u/.config");
    expect(configHome({ XDG_CONFIG_HOME: "relative", HOME: "/home/u" })).toBe("/home/u/.config");
    expect(configHome({ HOME: "/home/u" })).toBe("/home/u/.config");
  });
});
