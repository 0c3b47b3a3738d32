import { checkDocument, compilePlan } from "d2-core";
import { instanceSlot } from "../src/setup/registry.js";

export const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** Puts a policy in force for the tests of one file, without files and without a clock. */
export function enforce(policies: readonly object[], metadata: object = {}, instance = "default"): void {
  const { document, faults } = checkDocument({ metadata, policies });
  if (document === undefined) throw new Error(faults.map(({ message }) => message).join("\n"));
  instanceSlot(instance).enforcer = {
    plan: compilePlan(document),
    clock: () => 0,
    logger: SILENT,
    strict: false,
  };
}
