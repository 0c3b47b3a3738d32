import type { CanonicalValue } from "../canonical/canonical-json.js";
import { isBlank } from "../contract/blank.js";
import { ALLOW_GATE, denied, type Gate, makeGate } from "../gates/gate.js";
import { hasInput, inputOf, isInteger } from "../gates/input-gates.js";
import { isList } from "../values/kind.js";

// What the starter pack asks of single inputs and the algebra has no gate for.

function shape(type: string, key: string, holds: (value: CanonicalValue) => boolean): Gate {
  return makeGate(type, { key }, {}, ({ inputs }, label) => {
    if (!hasInput(inputs, key)) return denied(`gate.${type}.missing:${key}`, { key }, label);
    return holds(inputOf(inputs, key)) ? ALLOW_GATE : denied(`gate.${type}.mismatch:${key}`, { key }, label);
  });
}

/** Allows when the input is a text that is not blank. */
export function text(key: string): Gate {
  return shape("text", key, isWord);
}

/** Allows when the input is null, or a list of texts of which none is blank. */
export function texts(key: string): Gate {
  return shape("texts", key, (value) => value === null || (isList(value) && value.every(isWord)));
}

/** Allows when the input is an integer from 0 on. A boolean is none. */
export function count(key: string): Gate {
  return shape("count", key, (value) => isInteger(value) && value >= 0);
}

function isWord(value: unknown): boolean {
  return typeof value === "string" && !isBlank(value);
}
