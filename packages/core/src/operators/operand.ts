import type { PolicyValue } from "../document/document.js";
import { isList, isMapping, MAX_DEPTH } from "../values/kind.js";
import type { OperandCheck } from "./operator.js";
import { readPattern } from "./pattern.js";

// What `checkOperand` of the operators is made of. Messages begin after the operator's name: "`min` must be a number".

export function fault(message: string, suggestion?: string): OperandCheck {
  return suggestion === undefined ? { ok: false, message } : { ok: false, message, suggestion };
}

/** `true` or `false`. */
export function checkBoolean(name: string, operand: unknown): OperandCheck {
  if (typeof operand === "boolean") return { ok: true, operand };
  return fault(`\`${name}\` must be true or false`);
}

/** A finite number that a double holds exactly. */
export function checkNumber(name: string, operand: unknown): OperandCheck {
  if (typeof operand === "bigint") return checkBigint(name, operand);
  if (typeof operand !== "number") {
    return fault(
      typeof operand === "string" && operand.trim() !== "" && Number.isFinite(Number(operand))
        ? `\`${name}\` must be a number: leave out the quotes`
        : `\`${name}\` must be a number`,
    );
  }
  if (!Number.isFinite(operand)) return fault(`\`${name}\` must be a finite number`);
  return { ok: true, operand: operand + 0 }; // -0 becomes 0
}

/** A whole number from 0 on. */
export function checkCount(name: string, unit: string, operand: unknown): OperandCheck {
  const number = checkNumber(name, operand);
  if (!number.ok) return number;
  if (typeof number.operand === "number" && Number.isInteger(number.operand) && number.operand >= 0)
    return number;
  return fault(`\`${name}\` must be a whole number of ${unit}, 0 or more`);
}

export function checkText(name: string, operand: unknown): OperandCheck {
  if (typeof operand === "string") return { ok: true, operand };
  return fault(`\`${name}\` must be a string`);
}

export function checkPattern(name: string, operand: unknown): OperandCheck {
  if (typeof operand !== "string") return fault(`\`${name}\` must be a pattern, written as a string`);
  const reading = readPattern(operand);
  return reading.ok ? { ok: true, operand } : fault(`\`${name}\`: ${reading.message}`);
}

/** Any plain value, copied and frozen. */
export function checkValue(name: string, operand: unknown): OperandCheck {
  return copyValue(name, operand, 1);
}

/** A list of plain values; a lone string is a list of one. */
export function checkValues(name: string, operand: unknown, least: 0 | 1): OperandCheck {
  if (typeof operand === "string") return { ok: true, operand: Object.freeze([operand]) };
  if (!isList(operand)) return fault(`\`${name}\` must be a list`);
  if (operand.length < least) return fault(`\`${name}\` must list at least one value`);
  return copyValue(name, operand, 1);
}

function checkBigint(name: string, operand: bigint): OperandCheck {
  const number = Number(operand);
  if (Number.isFinite(number) && BigInt(number) === operand) return { ok: true, operand: number };
  return fault(
    `\`${name}\` holds an integer that a 64-bit float cannot hold exactly: use one nearer to zero`,
  );
}

function copyValue(name: string, value: unknown, depth: number): OperandCheck {
  switch (typeof value) {
    case "string":
    case "boolean":
      return { ok: true, operand: value };
    case "number":
    case "bigint":
      return checkNumber(name, value);
    case "object":
      if (value === null) return { ok: true, operand: null };
      if (depth > MAX_DEPTH) return fault(`\`${name}\` is nested deeper than ${MAX_DEPTH} levels`);
      if (isList(value)) return copyList(name, value, depth);
      if (isMapping(value)) return copyMapping(name, value, depth);
      return fault(`\`${name}\` must be plain data: null, booleans, numbers, strings, lists and mappings`);
    case "undefined":
    case "symbol":
    case "function":
      return fault(`\`${name}\` must be plain data: null, booleans, numbers, strings, lists and mappings`);
  }
}

function copyList(name: string, list: readonly unknown[], depth: number): OperandCheck {
  const copies: PolicyValue[] = [];
  for (const item of list) {
    const copy = copyValue(name, item, depth + 1);
    if (!copy.ok) return copy;
    copies.push(copy.operand);
  }
  return { ok: true, operand: Object.freeze(copies) };
}

function copyMapping(name: string, mapping: object, depth: number): OperandCheck {
  const copies: [string, PolicyValue][] = [];
  for (const [key, value] of Object.entries(mapping)) {
    const copy = copyValue(name, value, depth + 1);
    if (!copy.ok) return copy;
    copies.push([key, copy.operand]);
  }
  // `fromEntries` defines its keys, so `__proto__` stays a key.
  return { ok: true, operand: Object.freeze(Object.fromEntries(copies)) };
}
