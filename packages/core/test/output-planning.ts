import { checkDocument } from "../src/document/check-document.js";
import { compileOutput, type OutputPlan } from "../src/output/compile-output.js";
import { type ReleaseVerdict, releaseValue } from "../src/output/release-value.js";

/** The plan of permissions with these output rules, in this order. */
export function planOf(...outputs: readonly Readonly<Record<string, unknown>>[]): OutputPlan {
  const permissions = outputs.map((output) => ({ tool: "t", conditions: { output } }));
  const { document, faults } = checkDocument({ policies: [{ role: "a", permissions }] });
  if (document === undefined) throw new Error(faults.map(({ message }) => message).join("; "));
  const sources = document.policies.flatMap((entry) =>
    entry.permissions.map((permission) => ({ permission })),
  );
  const plan = compileOutput(sources);
  if (plan === undefined) throw new Error("the policy has no output rule");
  return plan;
}

/** The verdict on a value under permissions with these output rules. */
export function release(
  value: unknown,
  ...outputs: readonly Readonly<Record<string, unknown>>[]
): ReleaseVerdict {
  return releaseValue(planOf(...outputs), value);
}

/** The value that leaves; throws where it may not. */
export function released(value: unknown, ...outputs: readonly Readonly<Record<string, unknown>>[]): unknown {
  const verdict = release(value, ...outputs);
  if (!verdict.ok) throw new Error(`refused: ${verdict.reason} ${verdict.detail ?? ""}`);
  return verdict.value;
}

/** Freezes an object with everything inside, so that any change of it throws. */
export function frozen<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value) && !ArrayBuffer.isView(value)) {
    Object.freeze(value);
    for (const key of Reflect.ownKeys(value)) frozen(Reflect.get(value, key));
  }
  return value;
}
