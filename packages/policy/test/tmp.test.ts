import { it } from "vitest";
import { loadPolicy } from "../src/index.js";
it("x", { timeout: 600000 }, () => {
  for (const N of [3e5, 12e5]) { 
const rep = (s: string) => s.repeat(Math.floor(N / s.length));
  const shapes: [string, () => string][] = [
["tabs", () => rep("\t\n")], ["seps", () => rep(",")], ["block scalar", () => "a: |\n" + rep(" x\n")], ["nul", () => rep("\0")], ["alias chars", () => "policies:\n - tool: " + rep("*")], ["close", () => rep("]")], ["dq esc", () => 'a: "' + rep("\\q") + '"'], ["anch", () => rep("&a ")], ["excl", () => rep("! ")],
  ];
  for (const [name, make] of shapes) { const t = make(); const s = performance.now(); let r; try { loadPolicy(t, { now: 0 }); r = "ok"; } catch (e: any) { r = e.name + " " + e.diagnostics?.length + " " + String(e.message.split("\n")[2]).slice(0, 80) + (e.diagnostics ? "" : e.stack); } const ms = performance.now() - s; console.log(name, t.length, ms.toFixed(0), r); }
}});
