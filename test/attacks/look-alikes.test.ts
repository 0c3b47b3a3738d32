// The bypass: a tool id or a role that a reader takes for another one (other case, another script, composed or
// decomposed, with a character that is not seen) is matched as if it were that one, or gets into a policy unnoticed.

import { check, configureRbac, d2Guard, getUserContext, runAs } from "d2-sdk";
import { beforeEach, describe, expect, it } from "vitest";
import { enforce, errorOf, outcome, recorder } from "./enforce.js";

const UNSEEN: [string, string][] = [
  ["zero width space", "\u200b"],
  ["zero width joiner", "\u200d"],
  ["byte order mark", "\ufeff"],
  ["soft hyphen", "\u00ad"],
  ["right-to-left override", "\u202e"],
  ["first strong isolate", "\u2068"],
  ["Arabic letter mark", "\u061c"],
  ["variation selector", "\ufe0f"],
  ["supplementary variation selector", "\u{e0100}"],
  ["tag letter", "\u{e0061}"],
  ["combining grapheme joiner", "\u034f"],
  ["Hangul filler", "\u3164"],
  ["halfwidth Hangul filler", "\uffa0"],
  ["blank Braille pattern", "\u2800"],
  ["word joiner", "\u2060"],
  ["null", "\0"],
  ["delete", "\x7f"],
  ["C1 control", "\x85"],
  ["line separator", "\u2028"],
  ["no-break space", "\u00a0"],
  ["ideographic space", "\u3000"],
  ["private use", "\ue000"],
  ["noncharacter", "\ufffe"],
  ["lone surrogate", "\ud800"],
];

const MIXED: [string, string][] = [
  ["Cyrillic a", "re\u0430d"],
  ["Greek omicron", "p\u03bfst"],
  ["Cherokee letter", "\u13a1ead"],
  ["full-width letter", "\uff52ead"],
  ["mathematical letter", "\u{1d4fb}ead"],
  ["Armenian letter", "rea\u0564"],
  ["full-width digit", "read\uff11"],
  ["Devanagari digit", "read\u0967"],
  ["combining Cyrillic letter", "read\u2de0"],
];

describe("a tool id with a character that is not seen, or with mixed scripts", () => {
  it.each([
    ...UNSEEN.map(([name, char]) => [name, `re${char}ad`, char] as const),
    ...MIXED.map(([name, id]) => [name, id, undefined] as const),
  ])(
    "(%s) is refused at registration and in every place of a policy that names tools",
    async (_name, id, unseen) => {
      expect(await errorOf(() => d2Guard(id, () => 1))).toMatchObject({ code: "configuration_error" });
      expect(await errorOf(() => d2Guard(id))).toMatchObject({ code: "configuration_error" });
      expect(await errorOf(() => check(id))).toMatchObject({ code: "configuration_error" });
      const worker = () => d2Guard.worker(id, "file:///tool.js");
      expect(await errorOf(worker)).toMatchObject({ code: "configuration_error" });
      const entry = { role: "agent", permissions: ["read"] };
      const policies: object[] = [
        { policies: [{ role: "agent", permissions: [id] }] },
        { policies: [{ role: "agent", permissions: [{ tool: id, allow: false }] }] },
        { policies: [{ role: "agent", permissions: [`${id}.*`] }] },
        { policies: [{ ...entry, sequence: [{ deny: ["read", id] }] }] },
        { policies: [entry], metadata: { tool_groups: { g: [id] } } },
        { policies: [entry], metadata: { data_flow: { labels: { [id]: ["L"] } } } },
        { policies: [entry], metadata: { data_flow: { blocks: { L: [id] }, labels: { read: ["L"] } } } },
        // Names of other kinds are held to the same.
        { policies: [{ role: id, permissions: ["read"] }] },
        {
          policies: [{ role: "agent", permissions: [`@${id}`] }],
          metadata: { tool_groups: { [id]: ["read"] } },
        },
        { policies: [entry], metadata: { data_flow: { labels: { read: [id] } } } },
      ];
      for (const policy of policies) {
        const refusal = await errorOf(() => configureRbac({ policy, logger: recorder() }));
        expect([policy, refusal]).toEqual([policy, expect.objectContaining({ code: "configuration_error" })]);
        // Spelt out, so that the message cannot be misread as the policy can.
        if (unseen !== undefined) expect(String(refusal)).not.toContain(unseen);
      }
    },
  );
});

describe("a name", () => {
  beforeEach(() =>
    enforce([{ role: "agent", permissions: ["read", "caf\u00e9.open", "\u0440\u0435\u0430\u0434"] }]),
  );

  it.each([
    ["in other case", "READ"],
    ["in other case, one letter", "reaD"],
    ["with the Kelvin sign's lower case in mind", "Read"],
    ["with a dot behind it", "read."],
    ["with an accent", "r\u00e9ad"],
    ["decomposed where the policy has it composed", "cafe\u0301.open"],
    ["wholly in another script, which the policy has too, but not this one", "\u0433\u0435\u0430\u0434"],
    ["with dotless i for another letter", "\u0131ead"],
    ["that the policy's is a prefix of", "read.more"],
    ["that is a prefix of the policy's", "rea"],
  ])("of a tool %s is another tool", (_how, id) => {
    expect(runAs("ann", { roles: ["agent"] }, () => outcome(d2Guard(id, () => 1)))).toBe("missing_policy");
  });

  it.each([
    "Agent",
    "AGENT",
    " agent",
    "agent ",
    "agent\n",
    "agent\0",
    "agent\u200b",
    "\u202eagent",
    "\u0430gent",
    "age\u0301nt",
    "\uff41gent",
    "agent,agent",
    "*",
    "agent*",
    "@agent",
    "",
    "policies[0]",
  ])("of a role that only looks like the policy's (%j) grants nothing", (role) => {
    runAs("ann", { roles: [role] }, () => {
      expect(getUserContext().roles).toEqual([role]);
      expect(outcome(d2Guard("read", () => 1))).toBe("rbac_denied");
    });
  });

  it("written alike on both sides, in whatever script, is the same", () => {
    for (const id of ["read", "caf\u00e9.open", "\u0440\u0435\u0430\u0434"]) {
      expect(runAs("ann", { roles: ["agent"] }, () => outcome(d2Guard(id, () => 1)))).toBe("ok");
    }
  });
});

describe("two tools that differ in case or composition", () => {
  it("stay two tools in rules on what may follow what", async () => {
    const tools = ["read", "Read", "caf\u00e9", "cafe\u0301", "post"];
    await enforce([
      {
        role: "agent",
        permissions: tools,
        sequence: [{ deny: ["read", "post"] }, { deny: ["caf\u00e9", "post"] }],
      },
    ]);
    const following = (...ids: string[]): string =>
      runAs("ann", { roles: ["agent"] }, () => {
        for (const id of ids) d2Guard(id, () => 1)();
        return outcome(d2Guard("post", () => 1));
      });
    expect(following("Read", "cafe\u0301")).toBe("ok");
    expect(following("Read", "read")).toBe("sequence_violation");
    expect(following("cafe\u0301", "caf\u00e9")).toBe("sequence_violation");
  });
});
