import { compilePlan, D2Error, documentDigest, NO_POLICY, type Plan, type PolicyIdentity } from "d2-core";
import { type LoadedPolicy, type LoadOptions, loadPolicy } from "../load-policy.js";
import { dropFirst } from "./drop-first.js";
import type { Findings } from "./finding.js";

/** A policy to replay with: as it was kept beside a log, or loaded. */
export type PolicyGiven =
  | LoadedPolicy
  | {
      readonly text: string;
      readonly format?: "yaml" | "json" | undefined;
      /** The version it was published as. Default: the one that is made from its digest. */
      readonly version?: string | undefined;
    };

/** Finds a policy by the digest of its normalised document. */
export type PolicyLookup = (digest: string) => PolicyGiven | undefined | Promise<PolicyGiven | undefined>;

/** A policy that decisions are taken with again. */
export interface ReplayPolicy {
  /** `undefined`: that there was no policy is what was decided on. */
  readonly plan: Plan | undefined;
  readonly identity: PolicyIdentity;
}

/** Most policies kept; beyond it the one that was found first is looked up anew. */
const MAX_KEPT = 64;

/** Not so small that a policy a guard has loaded with limits of its own would be refused. */
const NO_LIMITS = { maxTools: Number.MAX_SAFE_INTEGER, maxBundleBytes: Number.MAX_SAFE_INTEGER };
/** Whether a policy had expired is an input of every recorded decision, and not looked at again. */
const BEFORE_ALL: Pick<LoadOptions, "now" | "limits"> = { now: Number.NEGATIVE_INFINITY, limits: NO_LIMITS };

/** Compiles a policy that is given as text, object or loaded, whether it has expired or not. */
export function compileGiven(policy: string | object): ReplayPolicy {
  const loaded = typeof policy === "object" && isLoaded(policy) ? policy : loadPolicy(policy, BEFORE_ALL);
  return compileLoaded(loaded, undefined);
}

function isLoaded(policy: object): policy is LoadedPolicy {
  // A policy in object form has no key `document`.
  return "document" in policy && "digest" in policy;
}

function compileLoaded(
  { document, name, version }: LoadedPolicy,
  published: string | undefined,
): ReplayPolicy {
  return Object.freeze({
    plan: compilePlan(document),
    // The digest is that of the document, whatever the policy says of itself.
    identity: Object.freeze({
      policyId: name,
      policyVersion: published ?? version,
      policyDigest: documentDigest(document),
    }),
  });
}

/** The policies of a log, each looked up and compiled once. */
export class PolicyShelf {
  readonly #lookup: PolicyLookup;
  readonly #findings: Findings;
  readonly #kept = new Map<string, ReplayPolicy | undefined>();

  constructor(lookup: PolicyLookup, findings: Findings) {
    this.#lookup = lookup;
    this.#findings = findings;
  }

  /** `undefined`: there is none of this digest, or what was given is another or cannot be loaded, which is a finding. */
  find(digest: string): ReplayPolicy | undefined | Promise<ReplayPolicy | undefined> {
    if (this.#kept.has(digest)) return this.#kept.get(digest);
    if (digest === NO_POLICY.policyDigest)
      return this.#keep(digest, { plan: undefined, identity: NO_POLICY });
    const given = this.#lookup(digest);
    return given instanceof Promise
      ? given.then((found) => this.#keep(digest, this.#compile(digest, found)))
      : this.#keep(digest, this.#compile(digest, given));
  }

  #keep(digest: string, policy: ReplayPolicy | undefined): ReplayPolicy | undefined {
    if (this.#kept.size >= MAX_KEPT) dropFirst(this.#kept);
    this.#kept.set(digest, policy);
    return policy;
  }

  #compile(digest: string, given: PolicyGiven | undefined): ReplayPolicy | undefined {
    if (given === undefined) return undefined;
    const policy = this.#load(digest, given);
    if (policy === undefined || policy.identity.policyDigest === digest) return policy;
    this.#findings.add({
      reason: "wrong_policy",
      message: `the policy that was given for ${digest} has another digest`,
    });
    return undefined;
  }

  #load(digest: string, given: PolicyGiven): ReplayPolicy | undefined {
    try {
      if (!("text" in given)) return compileLoaded(given, undefined);
      const { text, format, version } = given;
      return compileLoaded(
        loadPolicy(text, format === undefined ? BEFORE_ALL : { ...BEFORE_ALL, format }),
        version,
      );
    } catch (error) {
      if (!(error instanceof D2Error)) throw error;
      this.#findings.add({
        reason: "unreadable_policy",
        message: `the policy that was given for ${digest} cannot be loaded (${error.code})`,
      });
      return undefined;
    }
  }
}
