import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { DEFAULT_MAX_BYTES } from "d2-core";
import { ConfigurationError, PolicyTooLargeError } from "d2-core/call";
import { describe, expect, it } from "vitest";
import { DEFAULT_MAX_BUNDLE_BYTES } from "../src/setup/settings.js";
import { FileSource } from "../src/source/file-source.js";
import { ObjectSource } from "../src/source/object-source.js";
import { PolicyFolder } from "./policy-folder.js";

function sourceAt(folder: PolicyFolder, name: string, maxBytes = DEFAULT_MAX_BUNDLE_BYTES): FileSource {
  return new FileSource(folder.at(name), { folder: folder.path, maxBytes });
}

describe("a policy file", () => {
  it("is read whole, with its format by its name and its revision by its content", async () => {
    const folder = new PolicyFolder();
    folder.write("a.yaml", "ä: 1");
    folder.write("b.json", "ä: 1");
    folder.write("c.conf", "ä: 2");
    const [a, b, c] = await Promise.all(
      ["a.yaml", "b.json", "c.conf"].map((it) => sourceAt(folder, it).load()),
    );
    expect(a).toMatchObject({ content: "ä: 1", format: "yaml", file: "a.yaml" });
    expect(b).toMatchObject({ content: "ä: 1", format: "json" });
    expect(c).toMatchObject({ content: "ä: 2", format: undefined });
    expect(b?.revision).toBe(a?.revision);
    expect(c?.revision).not.toBe(a?.revision);
    expect(sourceAt(folder, "a.yaml").loadSync()).toEqual(a);
  });

  it("is read without its byte order mark", () => {
    const folder = new PolicyFolder();
    folder.write("a.yaml", "\ufeffa: 1");
    expect(sourceAt(folder, "a.yaml").loadSync().content).toBe("a: 1");
  });

  it("is named relative to the folder only where it is inside of it", () => {
    const folder = new PolicyFolder();
    const options = { folder: folder.at("app"), maxBytes: 1 };
    expect(new FileSource(folder.at("app/sub/p.yaml"), options).name).toBe("sub/p.yaml");
    expect(new FileSource(folder.at("app/..p.yaml"), options).name).toBe("..p.yaml");
    expect(new FileSource(folder.at("p.yaml"), options).name).toBe(folder.at("p.yaml"));
  });

  it("is refused when it is not UTF-8, rather than read with other letters", () => {
    const folder = new PolicyFolder();
    folder.write("a.yaml", new Uint8Array([0x61, 0xff]));
    expect(() => sourceAt(folder, "a.yaml").loadSync()).toThrow(/`a.yaml` is not UTF-8/);
  });

  it("is refused when it is larger than the limit, by a byte", () => {
    const folder = new PolicyFolder();
    folder.write("a.yaml", "12345678");
    expect(sourceAt(folder, "a.yaml", 8).loadSync().content).toBe("12345678");
    expect(() => sourceAt(folder, "a.yaml", 7).loadSync()).toThrow(PolicyTooLargeError);
  });

  it("has the limit of the policy reader", () => {
    expect(DEFAULT_MAX_BUNDLE_BYTES).toBe(DEFAULT_MAX_BYTES);
  });

  it("is refused when it is a folder, is missing, or is a link to nowhere or to itself", () => {
    const folder = new PolicyFolder();
    mkdirSync(folder.at("folder.yaml"));
    symlinkSync("nowhere", folder.at("dangling.yaml"));
    symlinkSync("loop.yaml", folder.at("loop.yaml"));
    const load = (name: string) => () => sourceAt(folder, name).loadSync();
    expect(load("folder.yaml")).toThrow(/`folder.yaml` is a folder/);
    expect(load("missing.yaml")).toThrow(/`missing.yaml` does not exist/);
    expect(load("dangling.yaml")).toThrow(/`dangling.yaml` does not exist/);
    expect(load("loop.yaml")).toThrow(/leads back to itself/);
    expect(load("missing.yaml")).toThrow(ConfigurationError);
  });

  it.skipIf(process.platform === "win32")(
    "is refused when it is a pipe, without waiting for a writer",
    () => {
      const folder = new PolicyFolder();
      execFileSync("mkfifo", [folder.at("pipe.yaml")]);
      expect(() => sourceAt(folder, "pipe.yaml").loadSync()).toThrow(/not a regular file/);
    },
  );

  it.skipIf(process.getuid?.() === 0)("is refused when it may not be read", () => {
    const folder = new PolicyFolder();
    chmodSync(folder.write("a.yaml", "a: 1"), 0);
    expect(() => sourceAt(folder, "a.yaml").loadSync()).toThrow(/may not be read/);
  });
});

describe("a policy given by the program", () => {
  it("is an object or a text", () => {
    const policy = { policies: [] };
    expect(new ObjectSource(policy).loadSync().content).toBe(policy);
    expect(new ObjectSource("policies: []").loadSync().content).toBe("policies: []");
  });

  it.each([null, 1, [], () => undefined, "policy.yaml", "./etc/policy.json"])("is not %s", (content) => {
    expect(() => new ObjectSource(content)).toThrow(ConfigurationError);
  });
});
