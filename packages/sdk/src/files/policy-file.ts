import { ConfigurationError } from "d2-core/call";
import { configHome, type Environment, readText } from "../setup/environment.js";
import { DEFAULT_MAX_BUNDLE_BYTES } from "../setup/settings.js";
import { findPolicyFile } from "../source/file-search.js";
import { readPolicyFile } from "../source/read-policy-file.js";
import { shownPath } from "../source/shown-path.js";

export interface PolicyFileQuestion {
  /** The file that is meant; it ends the search. Default: the search that `configureRbac` makes. */
  readonly policyFile?: string | URL | undefined;
  /** Default: `process.env`. */
  readonly environment?: Environment | undefined;
  /** Absolute; relative paths start here. Default: the current folder. */
  readonly folder?: string | undefined;
  /** What else can be done where there is none, for messages. Default: name it to `configureRbac`. */
  readonly otherwise?: string | undefined;
}

/** A policy file, found. */
export interface PolicyFile {
  /** Absolute. */
  readonly path: string;
  /** For people: relative to the folder where it is inside of that. */
  readonly shown: string;
  /** Other policy files, which this one hides; as shown. */
  readonly hidden: readonly string[];
}

/**
 * The policy file that a guard in this folder and environment would take.
 *
 * @throws ConfigurationError when there is none, or it cannot be told which is meant
 */
export function policyFileInForce(question: PolicyFileQuestion = {}): PolicyFile {
  const { policyFile, environment = process.env, folder = process.cwd(), otherwise } = question;
  const { path, hidden } = findPolicyFile({
    policyFile,
    named: readText(environment, "D2_POLICY_FILE"),
    configHome: configHome(environment),
    folder,
    otherwise,
  });
  return { path, shown: shownPath(path, folder), hidden: hidden.map((other) => shownPath(other, folder)) };
}

/**
 * The text of a policy file, whole and as it was at one moment.
 *
 * @param shown the path as errors name it
 * @param maxBytes the largest file that is read; default 8 MiB
 * @throws ConfigurationError when it cannot be read or is not UTF-8
 * @throws PolicyTooLargeError when it is larger
 */
export function readPolicyFileText(
  path: string,
  shown: string,
  maxBytes: number = DEFAULT_MAX_BUNDLE_BYTES,
): string {
  const { bytes } = readPolicyFile(path, shown, maxBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigurationError(`the policy file \`${shown}\` is not UTF-8 text: save it as UTF-8`, [], {
      cause,
    });
  }
}
