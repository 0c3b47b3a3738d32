import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeStarter } from "../src/starter/write-starter.js";
import { UsageError } from "../src/usage-error.js";
import { withTree } from "./trees/source-tree.js";

const inFolder = (use: (root: string) => Promise<void>) => withTree({ "policy.yaml": "old" }, use);
const refusal = (path: string, force: boolean) =>
  writeStarter(path, "new", { force }).catch((error: unknown) => error);

describe("writing a starter policy", () => {
  it("makes the folders that it lies in", () =>
    inFolder(async (root) => {
      const path = join(root, "a", "b", "policy.yaml");
      expect(await writeStarter(path, "new", { force: false })).toEqual({ path, overwritten: false });
      expect(readFileSync(path, "utf8")).toBe("new");
    }));

  it("leaves a file that is there as it is", () =>
    inFolder(async (root) => {
      const path = join(root, "policy.yaml");
      const error = await refusal(path, false);
      expect(error).toBeInstanceOf(UsageError);
      expect(String(error)).toContain("`--force`");
      expect(readFileSync(path, "utf8")).toBe("old");
    }));

  it("lets only one of two writers win", () =>
    inFolder(async (root) => {
      const path = join(root, "new.yaml");
      const both = await Promise.allSettled(
        ["a", "b"].map((text) => writeStarter(path, text, { force: false })),
      );
      expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    }));

  it("replaces it with force, with its mode, and leaves nothing else behind", () =>
    inFolder(async (root) => {
      const path = join(root, "policy.yaml");
      writeFileSync(join(root, "secret.yaml"), "old", { mode: 0o600 });
      expect(await writeStarter(path, "new", { force: true })).toEqual({ path, overwritten: true });
      await writeStarter(join(root, "secret.yaml"), "new", { force: true });
      expect(readFileSync(path, "utf8")).toBe("new");
      expect(statSync(join(root, "secret.yaml")).mode & 0o777).toBe(0o600);
      expect(readdirSync(root).sort()).toEqual(["policy.yaml", "secret.yaml"]);
    }));

  it("writes a new file with force, too", () =>
    inFolder(async (root) => {
      const path = join(root, "new.yaml");
      expect(await writeStarter(path, "new", { force: true })).toEqual({ path, overwritten: false });
    }));

  it("keeps a link, and replaces what it leads to", () =>
    inFolder(async (root) => {
      const link = join(root, "link.yaml");
      symlinkSync(join(root, "policy.yaml"), link);
      await writeStarter(link, "new", { force: true });
      expect(readFileSync(join(root, "policy.yaml"), "utf8")).toBe("new");
      expect(await refusal(link, false)).toBeInstanceOf(UsageError);
    }));

  it("does not take a folder for a file", () =>
    inFolder(async (root) => {
      const folder = join(root, "folder");
      mkdirSync(folder);
      expect(await refusal(folder, true)).toBeInstanceOf(UsageError);
      expect(await refusal(folder, false)).toBeInstanceOf(UsageError);
      expect(readdirSync(root).sort()).toEqual(["folder", "policy.yaml"]);
    }));
});
