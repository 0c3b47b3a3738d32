import type { Locate } from "../locate.js";

export interface DescribeOptions {
  /** Only these roles. Default: all. */
  readonly roles?: readonly string[] | undefined;
  /** One user who holds all of these roles, described as the rules of all of them together bind that user. */
  readonly userRoles?: readonly string[] | undefined;
  /** Milliseconds since 1970-01-01T00:00:00Z, to say how long the policy is good for. */
  readonly now?: number | undefined;
  /** Gives the places of rules; see `locateIn`. */
  readonly locate?: Locate | undefined;
}

/** Something that the policy says, in words. */
export interface Described {
  /** Document path. */
  readonly rule: string;
  readonly words: string;
  readonly line?: number;
  readonly column?: number;
}

/** A rule for an argument, a field of the output or the output as a whole. */
export interface DescribedRule extends Described {
  readonly kind: "input" | "validation" | "action" | "global";
  /** The path that the rule is on; of a global rule its name. */
  readonly path: string;
}

export interface DescribedPermission extends Described {
  /** The tool reference, as written. */
  readonly tool: string;
  /** The tool patterns that it stands for: those of a group, else the reference itself. */
  readonly tools: readonly string[];
  readonly effect: "allow" | "forbid";
  /** Input rules, then output rules without and with an action, then those for the whole output. */
  readonly rules: readonly DescribedRule[];
}

export interface DescribedSequence extends Described {
  readonly kind: "allow" | "deny";
}

export interface DescribedRole {
  readonly role: string;
  readonly permissions: readonly DescribedPermission[];
  /** `deny`: the role may only do what its allow patterns permit. Absent: the role has no sequence rules. */
  readonly mode?: "allow" | "deny";
  readonly sequences: readonly DescribedSequence[];
}

export interface DescribedGroup {
  /** With its `@`. */
  readonly name: string;
  readonly tools: readonly string[];
}

/** What a label does, from all the rules about it. */
export interface DescribedLabel {
  readonly label: string;
  /** Tool references that set it. */
  readonly markedBy: readonly string[];
  /** Tool references that it denies. */
  readonly blocks: readonly string[];
  /** Document paths of all the rules about it. */
  readonly rules: readonly string[];
  readonly words: string;
}

/** A guardrail of a user, with the roles that bring it. */
export interface MergedRule extends DescribedRule {
  readonly roles: readonly string[];
}

/** What the user's roles together say of the tools of one pattern. */
export interface MergedTool {
  /** A tool id, a prefix or `*`. */
  readonly tool: string;
  /** `forbidden`: some role has `allow: false` for all of them. */
  readonly effect: "allow" | "forbid";
  /** Roles that grant, or where it is forbidden, roles that forbid. */
  readonly roles: readonly string[];
  /** Patterns of tools among them that are forbidden all the same. */
  readonly except: readonly string[];
  readonly rules: readonly MergedRule[];
  readonly words: string;
}

/** A user who holds several roles. */
export interface DescribedUser {
  /** Those of the roles asked for that the policy has, in its order. */
  readonly roles: readonly string[];
  readonly tools: readonly MergedTool[];
  /** `deny`: one of the roles has this mode, and some role with it must permit every call. */
  readonly mode?: "allow" | "deny";
  /** The roles with the mode `deny`. */
  readonly allowListed: readonly string[];
  readonly sequences: readonly (DescribedSequence & { readonly role: string })[];
}

/** What a policy says, as plain data. Deeply frozen, in the order of the document. */
export interface PolicyDescription {
  readonly name: string;
  /** `sha256:` and the first 16 digits of the digest. */
  readonly version: string;
  readonly description?: string;
  /** `daysLeft`: whole days, rounded down; only with the option `now`. */
  readonly expires?: { readonly at: string; readonly daysLeft?: number };
  readonly counts: {
    readonly roles: number;
    readonly permissions: number;
    /** Distinct tool ids and prefixes in permissions, as the limit counts them. */
    readonly tools: number;
    readonly groups: number;
    readonly inputRules: number;
    /** Output rules without an action, and those for the whole output. */
    readonly outputRules: number;
    readonly actionRules: number;
    readonly sequenceRules: number;
    readonly labels: number;
  };
  readonly groups: readonly DescribedGroup[];
  readonly roles: readonly DescribedRole[];
  readonly user?: DescribedUser;
  readonly labels: readonly DescribedLabel[];
  /** Roles asked for that the policy does not have. */
  readonly unknownRoles: readonly string[];
  /** How the words are to be read, where they leave something out. */
  readonly notes: readonly string[];
}
