import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageFolders, root, sourcesOf } from "./repo/sources.js";
import { isNode, parse, walk } from "./repo/syntax-tree.js";

const MAX_LINES = 300;

/** Sources that may be longer than that, and why. */
const LONGER: Readonly<Record<string, string>> = {
  "d2-core/sequence/live.ts":
    "one state of running calls, with the way in from the settled state and the way back",
};

const BANNED_WORDS = ["util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "stuff"];

const modules = packageFolders.flatMap(sourcesOf).map((module) => ({
  ...module,
  name: `${module.owner}/${module.path}`,
}));

const linesOf = (text: string) => text.split("\n").length - (text.endsWith("\n") ? 1 : 0);

const readJson = (...path: string[]) => JSON.parse(readFileSync(join(root, ...path), "utf8"));

/** Every folder with a manifest of ours. */
const manifestFolders = [
  ".",
  ...packageFolders.map((folder) => `packages/${folder}`),
  "examples",
  "bench",
].concat(readdirSync(join(root, "tools")).map((folder) => `tools/${folder}`));

const lockFolders = [".", "bench", ...readdirSync(join(root, "tools")).map((folder) => `tools/${folder}`)];

describe("the sources of the packages", () => {
  it(`are at most ${MAX_LINES} lines long, the listed ones excepted`, () => {
    const long = modules.filter(
      ({ name, text }) => linesOf(text) > MAX_LINES && !Object.hasOwn(LONGER, name),
    );
    expect(long.map(({ name, text }) => `${name}: ${linesOf(text)}`)).toEqual([]);
  });

  it("are on the list of long ones only while they are long", () => {
    const long = modules.filter(({ text }) => linesOf(text) > MAX_LINES).map(({ name }) => name);
    expect(Object.keys(LONGER).filter((name) => !long.includes(name))).toEqual([]);
  });

  it("are named after what they own", () => {
    const vague = modules.filter(({ path }) =>
      path.split(/[/.-]/).some((word) => BANNED_WORDS.includes(word)),
    );
    expect(vague.map(({ name }) => name)).toEqual([]);
  });

  it("have one public face a package: no other file is named index", () => {
    const faces = modules.filter(({ path }) => basename(path) === "index.ts").map(({ path }) => path);
    expect(new Set(faces)).toEqual(new Set(["index.ts"]));
  });

  it("have no default exports", () => {
    const found = modules.flatMap(({ name, path, text }) => {
      let count = 0;
      walk(parse(path, text), (node) => {
        const { exported } = node;
        const renamed = isNode(exported) && (exported["name"] ?? exported["value"]) === "default";
        if (node.type === "ExportDefaultDeclaration" || renamed) count++;
      });
      return count === 0 ? [] : [name];
    });
    expect(found).toEqual([]);
  });
});

describe("the packages", () => {
  it.each(packageFolders)("%s carries the licence, and ships what it exports and no tests", (folder) => {
    const manifest = readJson("packages", folder, "package.json");
    expect(readFileSync(join(root, "packages", folder, "LICENSE"), "utf8")).toBe(
      readFileSync(join(root, "LICENSE"), "utf8"),
    );
    expect(manifest.license).toBe("Apache-2.0");
    expect(manifest.type).toBe("module");
    expect(manifest.engines).toEqual({ node: ">=20" });
    expect(manifest.files).toEqual(expect.arrayContaining(["lib", "dist", "src", "!dist/.tsbuildinfo"]));
  });

  it.each(packageFolders)("%s exports only what has a source", (folder) => {
    const manifest = readJson("packages", folder, "package.json");
    const sources = sourcesOf(folder).map(({ path }) => path);
    const targets = Object.entries<Record<string, string> | string>(manifest.exports).flatMap(([, target]) =>
      typeof target === "string" ? [] : Object.values(target),
    );
    const built = targets.map((target) =>
      target.replace(/^\.\/(dist|lib)\//, "").replace(/(\.d)?\.(ts|js)$/, ".ts"),
    );
    expect(built.filter((path) => !sources.includes(path))).toEqual([]);
    expect(built).toContain("index.ts");
  });
});

describe("the dependencies", () => {
  it.each(manifestFolders)("of %s are pinned exactly", (folder) => {
    const manifest = readJson(folder, "package.json");
    const wanted: Record<string, string> = {
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.optionalDependencies,
    };
    const exact = /^(npm:[@\w/.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/;
    expect(Object.entries(wanted).filter(([, version]) => !exact.test(version))).toEqual([]);
  });

  it.each(lockFolders)("of %s are locked with a hash and without a host", (folder) => {
    const text = readFileSync(join(root, folder, "package-lock.json"), "utf8");
    const entries = Object.entries<Record<string, string>>(JSON.parse(text).packages);
    const outside = entries.filter(([path, { link }]) => path.includes("node_modules/") && !link);
    expect(outside.length).toBeGreaterThan(0);
    expect(outside.filter(([, entry]) => entry["integrity"] === undefined).map(([path]) => path)).toEqual([]);
    // Links to home pages (`funding`) are the packages' own words; only where a package comes from matters.
    const origins = entries.flatMap(([, { resolved }]) => (resolved === undefined ? [] : [resolved]));
    expect(origins.filter((origin) => /^[\w+]+:/.test(origin))).toEqual([]);
  });
});
