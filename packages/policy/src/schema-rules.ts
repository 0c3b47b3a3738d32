import { ACTIONS, OPERATORS } from "d2-core";
import { type JsonSchema, textList } from "./schema-parts.js";

// The part of the JSON Schema that says what a rule may hold. It is made from the operator table.

const ACTION_TEXTS: { readonly [Name in (typeof ACTIONS)[number]]: string } = {
  filter: "Removes the key, or the list item.",
  redact: "Replaces the value by `[REDACTED]`; with `matches`, every match inside the string.",
  truncate: "Cuts a string or list to `maxLength`, which is required.",
  deny: "Refuses the whole output.",
};

/** Operators of a rule, each with what it means for hover texts. */
function operatorProperties(): { [name: string]: JsonSchema } {
  const properties: { [name: string]: JsonSchema } = {};
  for (const operator of OPERATORS.values()) {
    properties[operator.name] = {
      description: `${operator.summary}\n\nOn a value of another kind: ${operator.otherKinds || "not applicable"}.`,
      ...operator.operandSchema,
    };
  }
  return properties;
}

/** `inputRule`, `outputRule` and `output`. */
export function ruleDefinitions(): { readonly [name: string]: JsonSchema } {
  return {
    inputRule: {
      type: "object",
      description:
        "What the argument must be. All operators must hold; an absent value passes all but `required`.",
      properties: operatorProperties(),
      additionalProperties: false,
    },
    outputRule: {
      type: "object",
      description:
        "Without `action`: what the field must be, else the output is refused. With `action`: what is done with the field when any operator says so, or always when there is none.",
      properties: {
        action: {
          description: "What is done with the field when the rule fires.",
          type: "string",
          enum: [...ACTIONS],
          enumDescriptions: ACTIONS.map((action) => ACTION_TEXTS[action]),
        },
        ...operatorProperties(),
      },
      additionalProperties: false,
      if: { required: ["action"], properties: { action: { const: "truncate" } } },
      // biome-ignore lint/suspicious/noThenProperty: this is the JSON Schema keyword
      then: { required: ["maxLength"] },
    },
    output: {
      type: "object",
      description:
        "What may leave the tool: field paths (`user.email`, `$` for the value itself), and rules for the whole output.",
      properties: {
        deny_if_patterns: {
          ...textList(
            "RE2 patterns. If one is found in any string, number text or key, the output is refused.",
          ),
        },
        require_fields_absent: {
          ...textList("Names of keys. If one is there at any depth, the output is refused."),
        },
        max_bytes: {
          description: "Bytes of compact JSON in UTF-8 that the output may have.",
          type: "integer",
          minimum: 0,
        },
      },
      additionalProperties: { $ref: "#/definitions/outputRule" },
    },
  };
}
