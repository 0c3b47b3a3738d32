import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadPolicy } from "../src/load-policy.js";
import { locateIn } from "../src/locate.js";
import { readPolicyText } from "../src/policy-text.js";
import { coverageText, prettyReport, readPolicyTests, runPolicyTests } from "../src/testing.js";

const page = readFileSync(new URL("../../../docs/testing.md", import.meta.url), "utf8");

/** The first block of the page with this info string. */
function block(info: string): string {
  const [, text] = page.split(`\n\`\`\`${info}\n`);
  return `\n${text ?? ""}`.split("\n```")[0]?.slice(1).concat("\n") ?? "";
}

describe("the page on testing", () => {
  const policyText = block("yaml policy");
  const tests = readPolicyTests(block("yaml fragment"), { file: "policy.test.yaml" });
  const run = runPolicyTests(loadPolicy(policyText, { now: 0 }), tests, {
    policyFile: "policy.yaml",
    locate: locateIn(readPolicyText(policyText)),
  });

  it("shows what its tests report", () => {
    expect(prettyReport(run)).toBe(block("text report"));
  });

  it("shows what they cover", () => {
    expect(coverageText(run.coverage)).toBe(block("text coverage"));
  });

  it("has a table of refunds that can be read", () => {
    const second = page.split("\n```yaml fragment\n")[2]?.split("\n```")[0] ?? "";
    expect(readPolicyTests(second).tests.map(({ name }) => name)).toEqual([
      "refunds, row 1",
      "refunds, above the limit",
    ]);
  });
});
