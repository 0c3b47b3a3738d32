import { countCodePoints } from "../values/length.js";
import { InvalidIdError } from "./contract-error.js";

/** Names who a decision is made for. */
export type TenantId = string & { readonly __id: "tenant" };
/** Names a policy. */
export type PolicyId = string & { readonly __id: "policy" };
/** Names one version of a policy's definition (not of a package). */
export type PolicyVersion = string & { readonly __id: "version" };

/** Most characters (code points) of an id. */
export const MAX_ID_LENGTH = 256;

/**
 * Checks the name of a tenant: 1 to 256 characters, well-formed Unicode, no control characters.
 *
 * @throws {InvalidIdError}
 */
export const TenantId = (value: string): TenantId => checkId("tenantId", value) as TenantId; // checked to be one

/**
 * Checks the name of a policy; the rules are those of `TenantId`.
 *
 * @throws {InvalidIdError}
 */
export const PolicyId = (value: string): PolicyId => checkId("policyId", value) as PolicyId; // checked to be one

/**
 * Checks the version of a policy; the rules are those of `TenantId`.
 *
 * @throws {InvalidIdError}
 */
export const PolicyVersion = (value: string): PolicyVersion =>
  checkId("policyVersion", value) as PolicyVersion; // checked to be one

/** Whether a value can be an id. */
export function isId(value: unknown): value is string {
  if (typeof value !== "string" || value === "") return false;
  // A code point has one or two units, so what is twice too long need not be counted.
  if (value.length > 2 * MAX_ID_LENGTH || countCodePoints(value) > MAX_ID_LENGTH) return false;
  return !/[\p{Cc}\p{Cs}]/u.test(value);
}

function checkId(name: string, value: unknown): string {
  if (!isId(value)) throw new InvalidIdError(name);
  return value;
}
