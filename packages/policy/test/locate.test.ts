import { formatDocumentPath } from "d2-core";
import { describe, expect, it } from "vitest";
import { locateIn, parseDocumentPath } from "../src/locate.js";
import { readPolicyText } from "../src/policy-text.js";

const TEXT = `version: 1
policies:
  - role: analyst
    permissions:
      - reports.list
      - tool: reports.generate
        conditions:
          input:
            "a.b c": { max: 3 }
`;

describe("a rule's place in its policy", () => {
  const locate = locateIn(readPolicyText(TEXT));

  it("is where its key stands, in lines and columns from 1", () => {
    expect(locate("policies[0].permissions[1].conditions.input")).toEqual({ line: 8, column: 11 });
    expect(locate('policies[0].permissions[1].conditions.input["a.b c"].max')).toEqual({
      line: 9,
      column: 24,
    });
    expect(locate("policies[0].permissions[0]")).toEqual({ line: 5, column: 9 });
  });

  it("is that of the nearest parent where the path is not there", () => {
    expect(locate("policies[0].permissions[0].conditions")).toEqual({ line: 5, column: 9 });
  });

  it("is not given for what is no document path", () => {
    expect(locate("policies[x]")).toBeUndefined();
    expect(locate("not a path")).toBeUndefined();
  });

  it("reads every path that is written back into its parts", () => {
    for (const path of [["a", 0, "b"], ["__proto__", 'q"uo\\te', "x y", ""], [3], []] as const) {
      expect(parseDocumentPath(formatDocumentPath(path))).toEqual(path);
    }
  });
});
