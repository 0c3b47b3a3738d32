// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are code.
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { IgnoreRules } from "../src/scan/ignore-rules.js";
import { importsOfText } from "../src/scan/relevant-files.js";
import { scanProject } from "../src/scan/scan-project.js";
import { type Tree, withTree } from "./trees/source-tree.js";

const guarding = (id: string) => `import { d2Guard } from "d2-sdk";\nd2Guard("${id}", () => 1);\n`;

/** The files of a tree in which a guard is found, when each has one. */
async function filesFound(paths: readonly string[], more: Tree = {}): Promise<readonly string[]> {
  const tree = { ...Object.fromEntries(paths.map((path) => [path, guarding("a")])), ...more };
  const { tools } = await withTree(tree, (root) => scanProject(root));
  return tools.map(({ file }) => file);
}

describe("a scan leaves out", () => {
  it("what is built, installed, hidden or a test, and nothing that only looks like it", async () => {
    const kept = [
      "app/build/page.ts",
      "app/test/route.ts",
      "latest.ts",
      "src/build/a.ts",
      "src/dist/a.ts",
      "src/out/a.ts",
      "src/test/a.ts",
      "test.ts",
    ];
    const left = [
      ".next/a.ts",
      "a.d.ts",
      "a.min.js",
      "a.spec.tsx",
      "a.test.mjs",
      "build/a.js",
      "coverage/a.js",
      "dist/a.js",
      "e2e/a.ts",
      "node_modules/a/a.ts",
      "out/a.js",
      "server/dist/a.js",
      "src/__mocks__/a.ts",
      "src/__tests__/a.ts",
      "src/node_modules/a.ts",
      "test/a.ts",
      "tests/a.ts",
      "types.d.mts",
    ];
    expect(await filesFound([...kept, ...left])).toEqual(kept);
  });

  it("what was compiled beside its source", async () => {
    const both = ["a.js", "a.ts", "b.cjs", "b.cts", "c.jsx", "c.tsx", "d.js", "d.mts"];
    expect(await filesFound(both)).toEqual(["a.ts", "b.cts", "c.tsx", "d.js", "d.mts"]);
  });

  it("the output folders that compiler settings name, also inherited ones", async () => {
    const config = {
      "tsconfig.json": '{ "extends": "./base" }',
      "base.json": '{ "compilerOptions": { "outDir": "lib" } }',
    };
    const more = {
      "packages/a/tsconfig.build.json": '{ /* c */ "compilerOptions": { "outDir": "${configDir}/js", } }',
    };
    const paths = ["lib/a.js", "packages/a/js/a.js", "packages/a/lib/a.js"];
    expect(await filesFound(paths, { ...config, ...more })).toEqual(["packages/a/lib/a.js"]);
  });

  it("what `.gitignore` files leave out, in their folders and below", async () => {
    const ignores = {
      ".gitignore": "gen\n!src/gen\n/top.ts\n",
      "src/.gitignore": "*.gen.ts\n!keep.gen.ts\n",
    };
    const paths = [
      "gen/a.ts",
      "src/a.gen.ts",
      "src/gen/a.ts",
      "src/keep.gen.ts",
      "src/top.ts",
      "top.gen.ts",
      "top.ts",
    ];
    expect(await filesFound(paths, ignores)).toEqual([
      "src/gen/a.ts",
      "src/keep.gen.ts",
      "src/top.ts",
      "top.gen.ts",
    ]);
  });

  it("what the repository around it ignores, but not the folder that was asked for", async () => {
    const tree = {
      ".git/HEAD": "",
      ".gitignore": "apps\n*.gen.ts",
      "apps/web/a.ts": guarding("a"),
      "apps/web/b.gen.ts": guarding("b"),
    };
    const { tools } = await withTree(tree, (root) => scanProject(join(root, "apps/web")));
    expect(tools.map(({ tool }) => tool)).toEqual(["a"]);
  });

  it("links, so that nothing is read twice, for ever, or outside", async () => {
    const tree = { "in/a.ts": guarding("a"), "out/b.ts": guarding("b") };
    const { tools, unreadable } = await withTree(tree, (root) => {
      symlinkSync(join(root, "out"), join(root, "in", "outside"));
      symlinkSync(join(root, "in"), join(root, "in", "itself"));
      symlinkSync(join(root, "out", "b.ts"), join(root, "in", "b.ts"));
      symlinkSync(join(root, "nowhere"), join(root, "in", "c.ts"));
      return scanProject(join(root, "in"));
    });
    expect(tools.map(({ file }) => file)).toEqual(["a.ts"]);
    expect(unreadable).toEqual([]);
  });
});

describe("a scan reports", () => {
  it("a file that does not parse, with the place, and goes on", async () => {
    const tree = { "a.ts": `import "d2-sdk";\nconst é = "ü"; const 1 = 2;`, "b.ts": guarding("b") };
    const { tools, unreadable } = await withTree(tree, (root) => scanProject(root));
    expect(tools).toHaveLength(1);
    expect(unreadable).toEqual([{ file: "a.ts", line: 2, column: 22, message: expect.stringMatching(/./) }]);
  });

  it("a file that is too large, and one that is nested too deeply", async () => {
    const deep = `import "d2-sdk";\nx = ${"[".repeat(20_000)}${"]".repeat(20_000)};`;
    const tree = { "big.ts": guarding("a") + " ".repeat(1_000_001), "deep.ts": deep, "c.ts": guarding("c") };
    const { tools, unreadable } = await withTree(tree, (root) => scanProject(root));
    expect(tools.map(({ tool }) => tool)).toEqual(["c"]);
    expect(unreadable.map(({ file }) => file)).toEqual(["big.ts", "deep.ts"]);
  });

  it("that it stopped at the limit of files", async () => {
    const tree = { "a.ts": guarding("a"), "b.ts": guarding("b"), "c.ts": guarding("c") };
    const { scanned, unreadable } = await withTree(tree, (root) => scanProject(root, { maxFiles: 2 }));
    expect(scanned).toBe(2);
    expect(unreadable).toMatchObject([
      { file: ".", message: expect.stringContaining("more than 2 source files") },
    ]);
  });

  it("how many files it has read so far", async () => {
    const counts: number[] = [];
    const tree = { "a.ts": "", "b/b.js": "", "c.txt": "" };
    const onProgress = (count: number) => counts.push(count);
    const { scanned } = await withTree(tree, (root) => scanProject(root, { onProgress }));
    expect([scanned, counts]).toEqual([2, [1, 2]]);
  });

  it("that the folder is not there", async () => {
    const missing = withTree({ "a.ts": "" }, (root) => scanProject(join(root, "nowhere")));
    await expect(missing).rejects.toThrow("ENOENT");
  });

  it("lines and columns as editors count them, whatever ends the lines", async () => {
    const text = `\uFEFFimport { d2Guard } from "d2-sdk";\r\n/* 🙂 */ d2Guard("a", fn);\rd2Guard("b", fn);`;
    const { tools } = await withTree({ "a.ts": text }, (root) => scanProject(root));
    expect(tools.map(({ line, column }) => [line, column])).toEqual([
      [2, 9],
      [3, 1],
    ]);
  });
});

describe("modules are followed", () => {
  const reaches = async (tree: Tree, id = "a") => {
    const { tools } = await withTree(tree, (root) => {
      if ("link" in tree) {
        mkdirSync(join(root, "app/node_modules/@x"), { recursive: true });
        symlinkSync(join(root, "elsewhere"), join(root, "app/node_modules/@x/guard"));
      }
      return scanProject(join(root, "app"));
    });
    return tools.some(({ tool }) => tool === id);
  };
  const using = (source: string) => ({
    "app/src/a.ts": `import { guard } from "${source}";\nguard("a", () => 1);`,
  });
  const guard = `export { d2Guard as guard } from "d2-sdk";`;

  it.each<[string, Tree]>([
    ["by their own name", { ...using("./guard"), "app/src/guard.ts": guard }],
    ["by the name they are compiled to", { ...using("./guard.js"), "app/src/guard.tsx": guard }],
    ["by their full name", { ...using("./guard.ts"), "app/src/guard.ts": guard }],
    ["by a name with dots", { ...using("./guard.service"), "app/src/guard.service.ts": guard }],
    ["by their folder", { ...using("./guard"), "app/src/guard/index.mts": guard }],
    ["by their folder's parent", { ...using(".."), "app/index.ts": guard }],
    [
      "by their folder's manifest",
      { ...using("./g"), "app/src/g/package.json": `{"main":"./m.js"}`, "app/src/g/m.ts": guard },
    ],
    ["out of the folder that was asked for", { ...using("../../guard"), "guard.ts": guard }],
    ["in what is left out", { ...using("../dist/guard.js"), "app/dist/guard.js": guard }],
    ["in tests", { ...using("../test/guard"), "app/test/guard.ts": guard }],
    [
      "by `paths`",
      {
        ...using("@g/x"),
        "app/tsconfig.json": `{"compilerOptions":{"paths":{"@g/*":["./no/*","./src/*"]}}}`,
        "app/src/x.ts": guard,
      },
    ],
    [
      "by `paths` above",
      {
        ...using("@g"),
        "tsconfig.json": `{"compilerOptions":{"baseUrl":"app","paths":{"@g":["src/x"]}}}`,
        "app/src/x.ts": guard,
      },
    ],
    [
      "by `paths` that lead to the package",
      {
        ...(using("@g").constructor === Object
          ? { "app/src/a.ts": `import { d2Guard } from "@g";\nd2Guard("a", f);` }
          : {}),
        "app/tsconfig.json": `{"compilerOptions":{"paths":{"@g":["./node_modules/d2-sdk"]}}}`,
      },
    ],
    [
      "by `baseUrl`",
      {
        ...using("src/x"),
        "app/jsconfig.json": `{"compilerOptions":{"baseUrl":"."}}`,
        "app/src/x.js": guard,
      },
    ],
    [
      "by `imports`",
      {
        ...using("#g"),
        "app/package.json": `{"imports":{"#g":{"default":"./dist/g.js"}}}`,
        "app/src/g.ts": guard,
      },
    ],
    [
      "by the package's own name",
      {
        ...using("me/g"),
        "app/package.json": `{"name":"me","exports":{"./*":{"types":"./dist/*.d.ts"}}}`,
        "app/src/g.ts": guard,
      },
    ],
    [
      "by a workspace's name",
      { ...using("@x/g"), "app/g/package.json": `{"name":"@x/g"}`, "app/g/index.ts": guard },
    ],
    [
      "by a workspace's subpath",
      { ...using("@x/g/src/deep"), "app/g/package.json": `{"name":"@x/g"}`, "app/g/src/deep.ts": guard },
    ],
    [
      "by a link to a workspace outside",
      {
        link: "",
        ...using("@x/guard"),
        "elsewhere/package.json": `{"name":"@x/guard","main":"dist/index.js"}`,
        "elsewhere/src/index.ts": guard,
      },
    ],
    ["with a query behind the name", { ...using("./guard?raw"), "app/src/guard.ts": guard }],
  ])("%s", async (_, tree) => {
    expect(await reaches(tree)).toBe(true);
  });

  it.each<[string, Tree]>([
    [
      "installed packages",
      {
        ...using("g"),
        "app/node_modules/g/package.json": `{"name":"g"}`,
        "app/node_modules/g/index.js": guard,
      },
    ],
    ["names that lead nowhere", using("./nowhere")],
    ["manifests that lead to themselves", { ...using("./g"), "app/src/g/package.json": `{"main":"."}` }],
    [
      "settings that extend each other",
      {
        ...using("@g"),
        "app/tsconfig.json": `{"extends":"./b.json"}`,
        "app/b.json": `{"extends":"./tsconfig.json"}`,
      },
    ],
    ["manifests that are no JSON", { ...using("#g"), "app/package.json": `{"imports":` }],
    [
      "names that mean each other",
      { ...using("#a"), "app/package.json": `{"imports":{"#a":"#b","#b":"#a"}}` },
    ],
  ])("not through %s", async (_, tree) => {
    expect(await reaches(tree)).toBe(false);
  });
});

describe("the guard is followed from module to module", () => {
  it("through names, objects, classes and functions", async () => {
    const tree = {
      "a.ts": `import { d2Guard } from "d2-sdk";\nconst g = d2Guard;\nexport { g };`,
      "b.ts": `import { g } from "./a";\nconst sdk = { g };\nexport default sdk;`,
      "c.ts": `import sdk from "./b";\nexport class Base { protected guard = sdk.g; }`,
      "d.ts": `import { Base } from "./c";\nexport class Tools extends Base { t = this.guard("class", () => 1); }`,
      "e.ts": `import sdk from "./b";\nexport const guard = () => sdk.g;\nexport const bound = sdk.g.bind(null);`,
      "f.ts": `import { bound, guard } from "./e";\nguard()("function", () => 1);\nbound("bound", () => 1);`,
      "g.ts": `import { d2Guard } from "d2-sdk";\nexport const kept = d2Guard("kept");`,
      "h.ts": `import { kept } from "./g";\nclass A { @kept run({ x }) {} }`,
    };
    const { tools } = await withTree(tree, (root) => scanProject(root));
    expect(tools.map(({ file, tool, kind }) => `${file} ${tool} ${kind}`)).toEqual([
      "d.ts class function",
      "f.ts function function",
      "f.ts bound function",
      "g.ts kept method",
    ]);
  });

  it("and modules that only call tools are never parsed", async () => {
    const tree = {
      "tools.ts": `import { d2Guard } from "d2-sdk";\nexport const read = d2Guard("read", () => 1);`,
      "index.ts": `export * from "./tools";`,
      "main.ts": `import { read } from "./tools";\nread(;`,
    };
    const { tools, unreadable } = await withTree(tree, (root) => scanProject(root));
    expect([tools.length, unreadable]).toEqual([1, []]);
  });
});

describe("ignore rules", () => {
  it.each([
    ["a.ts", "a.ts", true],
    ["a.ts", "b/a.ts", true],
    ["/a.ts", "b/a.ts", undefined],
    ["b/a.ts", "c/b/a.ts", undefined],
    ["**/b/a.ts", "c/b/a.ts", true],
    ["*.ts", "b/a.ts", true],
    ["b/*.ts", "b/c/a.ts", undefined],
    ["b/**", "b/c/a.ts", true],
    ["b/**/a.ts", "b/a.ts", true],
    ["a?.ts", "ab.ts", true],
    ["a?.ts", "a/.ts", undefined],
    ["[ab].ts", "b.ts", true],
    ["[!ab].ts", "b.ts", undefined],
    ["[a-c].ts", "b.ts", true],
    ["a.ts/", "a.ts", undefined],
    ["# a.ts", "a.ts", undefined],
    ["\\#a.ts", "#a.ts", true],
    ["a.ts  ", "a.ts", true],
    ["!a.ts", "a.ts", false],
    ["a+(b).ts", "a+(b).ts", true],
    ["*.ts\n!a.ts", "a.ts", false],
    ["!a.ts\n*.ts", "a.ts", true],
    ["a.ts\r", "a.ts", true],
    ["[b-a].ts", "b.ts", undefined],
    ["*", "a.ts", true],
  ])("%j speaks of `%s`: %s", (rules, path, answer) => {
    expect(new IgnoreRules(rules).ignores(path, false)).toBe(answer);
  });

  it("that end in a slash mean folders", () => {
    expect(new IgnoreRules("gen/").ignores("src/gen", true)).toBe(true);
  });
});

describe("what a text imports is told without parsing", () => {
  it("in every form", () => {
    const text = `import a from "a"; import "b"; import('c'); export * from 'd'; require("e"); export { f }\nfrom\n"f";
      import /* g" */ x from /* 'no' */ "g"; import h = require("h"); await import(\`i\`); type T = import("j").T;`;
    expect([...importsOfText(text)].sort()).toEqual(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]);
  });
});
