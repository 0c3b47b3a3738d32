import { MAX_STEPS } from "d2-core";
import { type JsonSchema, textList, toolPattern, toolReference } from "./schema-parts.js";
import { ruleDefinitions } from "./schema-rules.js";

/**
 * The JSON Schema (draft 7) of a policy file, for editors: completion, hover texts and errors while typing. It is laxer
 * than loading, which also knows groups, patterns and what goes together. The package holds it as
 * `schema/policy.schema.json`.
 */
export function policyJsonSchema(): object {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "d2 policy",
    description:
      "Which roles may call which tools, in what order, with what arguments, and what may come back.",
    type: "object",
    required: ["policies"],
    additionalProperties: false,
    properties: {
      version: { description: "Version of the policy language.", enum: [1], default: 1 },
      metadata: { $ref: "#/definitions/metadata" },
      policies: {
        description: "What each role may do. An empty list denies everything.",
        type: "array",
        items: { $ref: "#/definitions/entry" },
      },
    },
    definitions: {
      toolPattern,
      toolReference,
      metadata,
      dataFlow,
      entry,
      roles: textList("A role name or a list of names. `*` is no role name.", {
        type: "string",
        minLength: 1,
        pattern: "^(?!\\*$)",
      }),
      permission,
      conditions,
      ...ruleDefinitions(),
      sequence,
      sequenceRules: { type: "array", items: { $ref: "#/definitions/sequenceRule" } },
      sequenceRule,
    },
  };
}

const metadata: JsonSchema = {
  description: "What is said about the policy as a whole.",
  type: "object",
  additionalProperties: false,
  properties: {
    name: {
      description: "Name of the policy, for records. Required to publish.",
      type: "string",
      minLength: 1,
    },
    description: { description: "What the policy is for.", type: "string" },
    expires: {
      description:
        "From this instant on every call is refused. RFC 3339, such as `2027-01-31T00:00:00Z`; without offset UTC, a lone date is its midnight UTC.",
      type: "string",
    },
    tool_groups: {
      description: "Named sets of tools. `@name` refers to one.",
      type: "object",
      additionalProperties: textList("Tool ids and prefixes; no groups.", {
        $ref: "#/definitions/toolPattern",
      }),
    },
    data_flow: { $ref: "#/definitions/dataFlow" },
  },
};

const dataFlow: JsonSchema = {
  description: "What data a session has touched, and which tools are closed to it afterwards.",
  type: "object",
  additionalProperties: false,
  properties: {
    labels: {
      description: "For a tool, prefix or group: the labels that a call to it puts on the session.",
      type: "object",
      propertyNames: { $ref: "#/definitions/toolReference" },
      additionalProperties: textList("Labels."),
    },
    blocks: {
      description: "For a label: the tools that are refused once the session has it.",
      type: "object",
      additionalProperties: textList("Tools, prefixes and groups.", { $ref: "#/definitions/toolReference" }),
    },
  },
};

const entry: JsonSchema = {
  description: "What one role, or several, may do. Entries for the same role add up.",
  type: "object",
  additionalProperties: false,
  anyOf: [{ required: ["role"] }, { required: ["roles"] }],
  properties: {
    role: { $ref: "#/definitions/roles" },
    roles: { $ref: "#/definitions/roles" },
    permissions: {
      description: "Tools that the role may call, or with `allow: false` may not.",
      anyOf: [
        { $ref: "#/definitions/toolReference" },
        { type: "array", items: { $ref: "#/definitions/permission" } },
      ],
    },
    sequence: { $ref: "#/definitions/sequence" },
  },
};

const permission: JsonSchema = {
  anyOf: [
    { $ref: "#/definitions/toolReference" },
    {
      type: "object",
      additionalProperties: false,
      anyOf: [{ required: ["tool"] }, { required: ["id"] }],
      properties: {
        tool: { description: "A tool id, prefix, group or `*`.", $ref: "#/definitions/toolReference" },
        id: { description: "The same as `tool`.", $ref: "#/definitions/toolReference" },
        allow: {
          description: "`false` forbids the tool, whatever else grants it. Default `true`.",
          type: "boolean",
          default: true,
        },
        conditions: { $ref: "#/definitions/conditions" },
      },
    },
  ],
};

const conditions: JsonSchema = {
  description: "Guardrails: what the arguments must be and what may leave.",
  type: "object",
  additionalProperties: false,
  properties: {
    input: {
      description: "Argument paths, such as `limit` or `filters.status`, and what must hold there.",
      type: "object",
      additionalProperties: { $ref: "#/definitions/inputRule" },
    },
    output: { $ref: "#/definitions/output" },
  },
};

const sequence: JsonSchema = {
  description: "Which tools may follow which. A list of rules, or a mapping with `mode` and `rules`.",
  anyOf: [
    { $ref: "#/definitions/sequenceRules" },
    {
      type: "object",
      additionalProperties: false,
      properties: {
        mode: {
          description:
            "`allow`: what no rule denies may follow. `deny`: only what an allow rule permits may follow.",
          type: "string",
          enum: ["allow", "deny"],
          default: "allow",
        },
        rules: { description: "The rules.", $ref: "#/definitions/sequenceRules" },
      },
    },
  ],
};

function steps(description: string, least: number): JsonSchema {
  return {
    description,
    type: "array",
    minItems: least,
    maxItems: MAX_STEPS,
    items: { $ref: "#/definitions/toolReference" },
  };
}

const sequenceRule: JsonSchema = {
  type: "object",
  additionalProperties: false,
  oneOf: [{ required: ["deny"] }, { required: ["allow"] }],
  properties: {
    deny: steps(
      "The last step is refused when the earlier ones were called before, in this order, with gaps.",
      2,
    ),
    allow: steps("Excuses what a deny rule finds, or permits the last step in `mode: deny`.", 1),
    reason: { description: "Why, for the refusal.", type: "string" },
  },
};
