import { describe, expect, it } from "vitest";
import { scanProject } from "../src/scan/scan-project.js";
import { expectedIn, readTree, type Tree, withTree } from "./trees/source-tree.js";

/** Modules of a plain kind, so that a tree has the size of a real one: most know nothing of the guard. */
function filling(folder: string, count: number, guard: string): Tree {
  const files = Array.from({ length: count }, (_, index): [string, string] => {
    const path = `${folder}/part-${index}.ts`;
    const next = `import { part${index + 1} } from "./part-${index + 1}.js";\n`;
    const plain = `${index + 1 < count ? next : ""}export const part${index} = (x: number) => x + ${index};\n`;
    if (index % 4 !== 0) return [path, plain];
    const tool = `export const tool = guard("part.${index}", ({ x }: { x: number }) => x); //=> part.${index}\n`;
    return [
      path,
      `import { ${guard} as guard } from "${guard === "d2Guard" ? "d2-sdk" : "@platform/guard"}";\n${plain}${tool}`,
    ];
  });
  return Object.fromEntries(files);
}

async function compare(tree: Tree) {
  const found = await withTree(tree, (root) => scanProject(root));
  const lines = [
    ...found.tools.map(({ file, line, tool }) => `${file}:${line} ${tool}`),
    ...found.dynamic.map(({ file, line }) => `${file}:${line} ?`),
  ];
  expect(lines.sort()).toEqual(expectedIn(tree));
  return found;
}

describe("in a project, every guarded tool is found, and nothing else", () => {
  it("in an app of modules", async () => {
    const tree = { ...readTree("esm-app"), ...filling("src/parts", 12, "d2Guard") };
    const found = await compare(tree);
    expect(found.tools.length).toBeGreaterThan(30);
    expect(found.checked).toEqual([
      { tool: "crm.lookup", file: "src/tools/check-only.ts", line: 2, column: 26 },
    ]);
    expect(found.unreadable).toEqual([]);
    expect(found.tools.find(({ tool }) => tool === "stats.crunch")).toMatchObject({
      kind: "worker",
      argument: "object",
      params: ["rows", "columns"],
    });
  });

  it("in an app of decorated classes, one of whose files is broken", async () => {
    const found = await compare({ ...readTree("decorators-app"), ...filling("src/parts", 16, "d2Guard") });
    expect(found.unreadable).toMatchObject([{ file: "src/broken/half.ts", line: 3 }]);
    const told = new Map(found.tools.map(({ tool, kind, params }) => [tool, [kind, params]]));
    expect(told.get("patients.find")).toEqual(["method", ["ward", "limit"]]);
    expect(told.get("patients.split")).toEqual(["generator", ["id"]]);
    expect(told.get("audit.entry")).toEqual(["method", ["entry"]]);
  });

  it("in a repository of several packages", async () => {
    const found = await compare({ ...readTree("monorepo"), ...filling("packages/parts/src", 24, "guarded") });
    expect(found.unreadable).toEqual([]);
    expect(found.tools.find(({ tool }) => tool === "jobs.run")).toMatchObject({
      params: ["id", "force"],
      closed: true,
    });
  });

  it("in the same order whenever it is asked", async () => {
    const tree = readTree("monorepo");
    const [first, second] = await Promise.all([0, 1].map(() => withTree(tree, (root) => scanProject(root))));
    expect(first).toEqual(second);
    const places = first?.tools.map(({ file }) => file) ?? [];
    expect(places).toEqual([...places].sort());
  });
});
