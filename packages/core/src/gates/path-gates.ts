import type { CanonicalValue } from "../canonical/canonical-json.js";
import type { ContextInputs } from "../contract/policy-context.js";
import { isText } from "../contract/policy-decision.js";
import { isList, isMapping } from "../values/kind.js";
import { ALLOW_GATE, denied, type Gate, type GateOptions, InvalidGateError, makeGate } from "./gate.js";

/** Allows when a list of texts stands at the path. Dots reach into mappings: `extensions.roles`. */
export function textList(path: string, options: GateOptions = {}): Gate {
  checkPath(path);
  return makeGate("text_list", { path }, options, ({ inputs }, label) => {
    if (valueAt(inputs, path) === undefined) return denied(`gate.text_list.missing:${path}`, { path }, label);
    if (textsAt(inputs, path) === undefined)
      return denied(`gate.text_list.mismatch:${path}`, { path }, label);
    return ALLOW_GATE;
  });
}

/** Allows when the list at the path holds this text. The list itself is not in the detail. */
export function contains(path: string, value: string, options: GateOptions = {}): Gate {
  checkPath(path);
  if (!isText(value)) throw new InvalidGateError("`value` of `contains` must be a well-formed string");
  return makeGate("contains", { path, value }, options, ({ inputs }, label) => {
    const list = valueAt(inputs, path);
    if (list === undefined) return denied(`gate.contains.missing:${path}`, { path }, label);
    if (!isList(list)) return denied(`gate.contains.not_list:${path}`, { path }, label);
    if (list.includes(value)) return ALLOW_GATE;
    return denied(`gate.contains.mismatch:${path}`, { path, value }, label);
  });
}

export function checkPath(path: string): void {
  if (!isText(path) || path.split(".").includes("")) {
    throw new InvalidGateError("`path` must be names joined by dots");
  }
}

/** What stands at a path of the inputs; `undefined`: nothing. */
export function valueAt(inputs: ContextInputs, path: string): CanonicalValue | undefined {
  let value: CanonicalValue | undefined = inputs;
  for (const key of path.split(".")) {
    if (!isMapping(value) || !Object.hasOwn(value, key)) return undefined;
    // A mapping inside canonical data holds canonical data.
    value = value[key] as CanonicalValue | undefined;
  }
  return value;
}

/** The list of texts at a path; `undefined` for anything else. */
export function textsAt(inputs: ContextInputs, path: string): readonly string[] | undefined {
  const value = valueAt(inputs, path);
  return isList(value) && value.every((item): item is string => typeof item === "string") ? value : undefined;
}
