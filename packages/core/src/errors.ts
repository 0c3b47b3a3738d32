import type { Decision, ReasonCode, Violation } from "./decision.js";
import type { DocumentPath } from "./document/document.js";

/** Base of every error that d2 throws on purpose. `code` is stable; the message is for people. */
export class D2Error extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Something wrong (or doubtful) in a policy, with its place. Lines and columns count from 1; absent without a text. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly code: string;
  readonly message: string;
  /** The document path as text; empty for the document as a whole. */
  readonly path: string;
  readonly documentPath: DocumentPath;
  readonly suggestion?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly endLine?: number;
  readonly endColumn?: number;
}

/** A set-up or a policy that cannot be used. `diagnostics` lists every fault found. */
export class ConfigurationError extends D2Error {
  readonly diagnostics: readonly Diagnostic[];
  constructor(message: string, diagnostics: readonly Diagnostic[] = [], options?: ErrorOptions) {
    super("configuration_error", message, options);
    this.diagnostics = diagnostics;
  }
}

/** The facts of a refused call, carried by every refusal. */
export interface Refusal {
  readonly toolId: string;
  readonly userId: string | undefined;
  readonly roles: readonly string[];
  readonly decision: Decision;
}

/** A policy as a whole that cannot be used: expired, too large, too many tools, badly signed. */
export class PolicyError extends D2Error {}

/** The policy document exceeds `maxBundleBytes`. */
export class PolicyTooLargeError extends PolicyError {
  readonly bytes: number;
  readonly limit: number;
  constructor(bytes: number, limit: number) {
    super(
      "policy_too_large",
      `the policy is ${bytes} bytes and the limit is ${limit}: make it smaller or raise \`limits.maxBundleBytes\``,
    );
    this.bytes = bytes;
    this.limit = limit;
  }
}

/** The policy names more tools than `maxTools`. */
export class TooManyToolsError extends PolicyError {
  readonly tools: number;
  readonly limit: number;
  constructor(tools: number, limit: number) {
    super(
      "too_many_tools",
      `the policy names ${tools} tools and the limit is ${limit}: name fewer or raise \`limits.maxTools\``,
    );
    this.tools = tools;
    this.limit = limit;
  }
}

/** A signed bundle whose signature cannot be accepted. */
export class InvalidSignatureError extends PolicyError {
  constructor(message: string, options?: ErrorOptions) {
    super("invalid_signature", message, options);
  }
}

/** A plan's quota at the control plane is used up. */
export class D2PlanLimitError extends D2Error {
  constructor(message: string) {
    super("plan_limit", message);
  }
}

/** The policy has expired, or its `expires` cannot be read. Thrown at load, and by every call from that instant on. */
export class BundleExpiredError extends PolicyError {
  /** Present when a call was refused, absent when loading was. */
  readonly refusal: Refusal | undefined;
  readonly reason: ReasonCode = "policy_expired";
  constructor(message: string, refusal?: Refusal) {
    super("policy_expired", message);
    this.refusal = refusal;
  }
  get toolId(): string | undefined {
    return this.refusal?.toolId;
  }
  get userId(): string | undefined {
    return this.refusal?.userId;
  }
  get roles(): readonly string[] {
    return this.refusal?.roles ?? [];
  }
  get detail(): string | undefined {
    return this.refusal?.decision.detail;
  }
  get violations(): readonly Violation[] {
    return this.refusal?.decision.violations ?? [];
  }
  get decision(): Decision | undefined {
    return this.refusal?.decision;
  }
}

/** A call was refused. Says which tool, for whom, and why; never what the arguments or the result held. */
export class PermissionDeniedError extends D2Error {
  readonly toolId: string;
  readonly userId: string | undefined;
  readonly roles: readonly string[];
  readonly decision: Decision;
  constructor(message: string, refusal: Refusal) {
    super(refusal.decision.reason, message);
    this.toolId = refusal.toolId;
    this.userId = refusal.userId;
    this.roles = refusal.roles;
    this.decision = refusal.decision;
  }
  get reason(): ReasonCode {
    return this.decision.reason;
  }
  get detail(): string | undefined {
    return this.decision.detail;
  }
  get violations(): readonly Violation[] {
    return this.decision.violations;
  }
}

/** The tool is in no permission of any role, or there is no policy at all. */
export class MissingPolicyError extends PermissionDeniedError {}

/** There is no user in the current context. */
export class NoContextError extends PermissionDeniedError {}
