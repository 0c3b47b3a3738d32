import type { PolicyValue } from "../document/document.js";

/** An operand in plain words: its JSON. */
export function show(operand: PolicyValue): string {
  return JSON.stringify(operand);
}

/** The values of a list, with commas; the list itself where it is empty. */
export function showAll(list: readonly PolicyValue[]): string {
  return list.length === 0 ? "[]" : list.map(show).join(", ");
}

/** The operand of an operator whose checked operand is a list. */
export function listOf(operand: PolicyValue): readonly PolicyValue[] {
  return Array.isArray(operand) ? operand : [operand];
}
