import { REASON_CODES } from "d2-core";
import { type JsonSchema, textList } from "../schema-parts.js";
import { COLUMN_NAMES, LAYERS } from "./test-keys.js";

/**
 * The JSON Schema (draft 7) of a file of policy tests, for editors: completion, hover texts and errors while typing. It
 * is laxer than reading, which also knows the names and what goes together. The package holds it as
 * `schema/tests.schema.json`.
 */
export function policyTestsJsonSchema(): object {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "d2 policy tests",
    description: "What a policy must allow and deny.",
    type: "object",
    required: ["tests"],
    additionalProperties: false,
    properties: {
      policy: {
        description: "The policy under test: a path relative to this file.",
        type: "string",
        minLength: 1,
      },
      users: {
        description: "Users by name, for `user`.",
        type: "object",
        additionalProperties: { $ref: "#/definitions/person" },
      },
      tools: {
        description: "For a tool that is called with positional arguments: their names.",
        type: "object",
        additionalProperties: mapping(
          {
            params: textList("The parameters in their order; the last may be `...rest`.", {
              type: "string",
              minLength: 1,
            }),
          },
          ["params"],
        ),
      },
      tests: {
        description: "Each test is a session of its own.",
        type: "array",
        items: { $ref: "#/definitions/test" },
      },
    },
    definitions: {
      person,
      user,
      toolId,
      args,
      history,
      earlierCall,
      facts,
      now,
      reason,
      layer,
      expect,
      step,
      table,
      test,
    },
  };
}

function mapping(
  properties: { readonly [key: string]: JsonSchema },
  required: readonly string[] = [],
): JsonSchema {
  const needed = required.length === 0 ? {} : { required };
  return { type: "object", additionalProperties: false, ...needed, properties };
}

function refer(name: string): JsonSchema {
  return { $ref: `#/definitions/${name}` };
}

const toolId: JsonSchema = {
  description: "The tool that is called.",
  type: "string",
  pattern: "^[^\\s@*]+$",
  patternErrorMessage: "A tool id: no white space, no `@`, no `*`.",
};

const person: JsonSchema = mapping(
  {
    id: { description: "The user's id. Default: the name, or `user`.", type: "string", minLength: 1 },
    roles: textList("The roles that the user holds."),
  },
  ["roles"],
);

const user: JsonSchema = {
  description: "Who calls: one of `users`, or a user written out. Left out: nobody.",
  anyOf: [{ type: "string" }, { type: "null" }, refer("person")],
};

const args: JsonSchema = {
  description: "Arguments by name, or a list of them for a tool with `params`.",
  type: ["object", "array", "null"],
};

const returns: JsonSchema = { description: "What the function returns. Its release is judged too." };

const fails: JsonSchema = {
  description: "The function throws, or what it returns is refused. Then the call counts for no allow rule.",
  type: "boolean",
  default: false,
};

const earlierCall: JsonSchema = {
  anyOf: [
    refer("toolId"),
    mapping(
      {
        call: refer("toolId"),
        args: refer("args"),
        returns,
        fails,
        assume: {
          description: "Takes the call for given, without asking the policy.",
          type: "boolean",
          default: false,
        },
      },
      ["call"],
    ),
  ],
};

const history: JsonSchema = {
  description: "The calls before, oldest first. They are decided too, and must be allowed.",
  anyOf: [refer("toolId"), { type: "array", items: refer("earlierCall") }, { type: "null" }],
};

const facts: JsonSchema = {
  ...textList("Labels that the session has before the first call."),
};

const now: JsonSchema = {
  description:
    "The instant of the calls, against which `expires` is held, such as `2027-01-31T00:00:00Z`. Left out: the policy is current.",
  type: ["string", "null"],
};

const reason: JsonSchema = { description: "The reason code.", type: "string", enum: [...REASON_CODES] };

const layer: JsonSchema = { description: "The layer that decides.", type: "string", enum: [...LAYERS] };

const decision: JsonSchema = {
  description: "What the policy decides.",
  type: "string",
  enum: ["allow", "deny"],
};

const expect: JsonSchema = {
  description:
    "What the policy must say: `allow`, `deny`, or more of the decision. Only what is written is compared.",
  anyOf: [
    decision,
    {
      ...mapping({
        decision,
        reason: refer("reason"),
        layer: refer("layer"),
        rule: {
          description: "Document path of the rule that decides, or of something around it.",
          type: "string",
        },
        detail: { description: "The finer word of the decision, such as a rule's `reason`.", type: "string" },
        violations: textList("The paths of all broken rules, in any order."),
        value: { description: "The released value as a whole." },
        value_includes: { description: "Part of the released value: its mappings may hold more keys." },
      }),
      minProperties: 1,
    },
  ],
};

const call = { call: refer("toolId"), args: refer("args"), returns, fails, expect: refer("expect") };

const step: JsonSchema = mapping(call, ["call"]);

const table: JsonSchema = mapping(
  {
    columns: textList("Keys of a test or of an expectation, or `args.` and a path.", {
      anyOf: [{ enum: [...COLUMN_NAMES] }, { type: "string", pattern: "^args\\.." }],
    }),
    rows: {
      description: "Each is a test of its own: a list of cells, or a mapping of columns.",
      type: "array",
      items: { type: ["array", "object"] },
    },
  },
  ["rows"],
);

const test: JsonSchema = mapping(
  {
    name: { description: "What must hold, in a sentence.", type: "string", minLength: 1 },
    user: refer("user"),
    history: refer("history"),
    facts: refer("facts"),
    now: refer("now"),
    ...call,
    table: refer("table"),
    steps: {
      description: "Calls made one after the other in one session. One without `expect` must be allowed.",
      type: "array",
      items: refer("step"),
    },
  },
  ["name"],
);
