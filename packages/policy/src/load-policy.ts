import {
  BundleExpiredError,
  ConfigurationError,
  checkTree,
  DEFAULT_MAX_BYTES,
  type Diagnostic,
  documentDigest,
  FaultList,
  type PolicyDocument,
  PolicyTooLargeError,
  quoted,
  snapshotPolicy,
  TooManyToolsError,
  utf8Size,
} from "d2-core";
import { diagnosticsOfObject, diagnosticsOfText } from "./diagnostics.js";
import { readExpiry } from "./expiry.js";
import { formatDiagnostics } from "./format-diagnostics.js";
import { readPolicyText } from "./policy-text.js";
import { countTools } from "./tool-count.js";

/** Tools that a policy may name when no other limit is given. */
export const DEFAULT_MAX_TOOLS = 10_000;

/** What a policy without `metadata.name` is called in records. */
export const UNNAMED_POLICY = "unnamed";

export interface PolicyLimits {
  /** Distinct exact ids and prefixes in permissions. Default 10,000. */
  readonly maxTools?: number | undefined;
  /** Bytes of the text in UTF-8, or of an object's compact JSON. Default 8 MiB. */
  readonly maxBundleBytes?: number | undefined;
}

export interface LoadOptions {
  /** Named in diagnostics and messages, as it is to be shown. */
  readonly file?: string | undefined;
  /** Of a text. `json` refuses what only YAML allows. Default `yaml`, which reads JSON as well. */
  readonly format?: "yaml" | "json" | undefined;
  readonly limits?: PolicyLimits | undefined;
  /** Milliseconds since the epoch, against which `expires` is held. */
  readonly now: number;
}

/** A policy that may be used. */
export interface LoadedPolicy {
  /** Deeply frozen. */
  readonly document: PolicyDocument;
  /** What can never apply or never help, in the order of the document. */
  readonly warnings: readonly Diagnostic[];
  /** Of the normalised document: 64 lower-case hex digits, the same for YAML, JSON and object form. */
  readonly digest: string;
  /** `metadata.name`, or `unnamed`. */
  readonly name: string;
  /** `sha256:` and the first 16 digits of the digest. */
  readonly version: string;
  /** Milliseconds since the epoch; from that instant on the policy is expired. `undefined`: it does not expire. */
  readonly expiresAt: number | undefined;
}

/**
 * Loads a policy from its text, or from an object (what `JSON.parse` makes of its text).
 *
 * @throws {PolicyTooLargeError} The input exceeds `limits.maxBundleBytes`. Checked first of all.
 * @throws {ConfigurationError} The policy has faults; `diagnostics` lists all of them, the message shows the first.
 * @throws {TooManyToolsError} The policy names more tools than `limits.maxTools`.
 * @throws {BundleExpiredError} The policy has expired, or its `expires` cannot be read.
 */
export function loadPolicy(input: string | object, options: LoadOptions): LoadedPolicy {
  const maxBytes = options.limits?.maxBundleBytes ?? DEFAULT_MAX_BYTES;
  const { document, warnings } =
    typeof input === "string" ? checkText(input, options, maxBytes) : checkObject(input, options, maxBytes);
  const maxTools = options.limits?.maxTools ?? DEFAULT_MAX_TOOLS;
  const tools = countTools(document);
  if (tools > maxTools) throw new TooManyToolsError(tools, maxTools);
  const expiresAt = checkExpiry(document, options.now);
  const digest = documentDigest(document);
  return Object.freeze({
    document,
    warnings,
    digest,
    name: document.name ?? UNNAMED_POLICY,
    version: `sha256:${digest.slice(0, 16)}`,
    expiresAt,
  });
}

interface Checked {
  readonly document: PolicyDocument;
  readonly warnings: readonly Diagnostic[];
}

function checkText(input: string, options: LoadOptions, maxBytes: number): Checked {
  const bytes = utf8Size(input, maxBytes);
  if (bytes > maxBytes) throw new PolicyTooLargeError(bytes, maxBytes);
  const { format, file } = options;
  const text = readPolicyText(input, format === undefined ? {} : { format });
  const { document, faults } = checkTree(text.tree, text.faults);
  const diagnostics = diagnosticsOfText(faults, text, file);
  if (document === undefined) throw refusal(diagnostics, file, text.text);
  return { document, warnings: diagnostics };
}

function checkObject(input: object, options: LoadOptions, maxBytes: number): Checked {
  const found = new FaultList();
  const { tree, bytes } = snapshotPolicy(input, found, maxBytes);
  if (bytes > maxBytes) throw new PolicyTooLargeError(bytes, maxBytes);
  const { document, faults } = checkTree(tree, found);
  const diagnostics = diagnosticsOfObject(faults);
  if (document === undefined) throw refusal(diagnostics, options.file, undefined);
  return { document, warnings: diagnostics };
}

/** Faults that the message of the error shows; the rest are in its `diagnostics`. */
const SHOWN = 5;

function refusal(
  diagnostics: readonly Diagnostic[],
  file: string | undefined,
  text: string | undefined,
): ConfigurationError {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  const named = file === undefined ? "the policy" : `the policy ${quoted(file)}`;
  const count = errors.length === 1 ? "a fault" : `${errors.length} faults`;
  const shown = formatDiagnostics(errors.slice(0, SHOWN), { text, file });
  const rest = errors.length > SHOWN ? `\n\n… and ${errors.length - SHOWN} more` : "";
  return new ConfigurationError(`${named} has ${count} and was not loaded:\n\n${shown}${rest}`, diagnostics);
}

function checkExpiry(document: PolicyDocument, now: number): number | undefined {
  if (document.expires === undefined) return undefined;
  const expiresAt = readExpiry(document.expires);
  if (expiresAt === undefined) {
    throw new BundleExpiredError(
      "`metadata.expires` cannot be read, so the policy counts as expired: write it like `2027-01-31T00:00:00Z`",
    );
  }
  if (now >= expiresAt) {
    const instant = new Date(expiresAt).toISOString();
    throw new BundleExpiredError(`the policy expired at ${instant}: renew \`metadata.expires\``);
  }
  return expiresAt;
}
