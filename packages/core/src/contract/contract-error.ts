import { D2Error } from "../errors.js";

/** A tenant, policy or version name that cannot be one. */
export class InvalidIdError extends D2Error {
  constructor(name: string) {
    super(
      "invalid_id",
      `\`${name}\` must be a string of 1 to 256 characters, well-formed and without control characters`,
    );
  }
}

/** Inputs that are no mapping, or hold something that has no canonical JSON. */
export class InvalidInputError extends D2Error {
  /** `mapping`: the inputs are none; `canonical`: they, or something inside, have no canonical JSON. */
  readonly lack: "mapping" | "canonical";
  constructor(lack: "mapping" | "canonical", options?: ErrorOptions) {
    const must = lack === "mapping" ? "must be a mapping" : "must be canonical data";
    super("invalid_input", `\`inputs\` ${must}`, options);
    this.lack = lack;
  }
}

/** Inputs with a top-level key that is not one of the context keys. */
export class UnknownContextKeyError extends D2Error {
  /** The first such key. It comes from outside: keep it out of messages. */
  readonly key: string;
  constructor(key: string) {
    super(
      "unknown_context_key",
      "`inputs` has a key that is not one of the context keys: put further data under `extensions`",
    );
    this.key = key;
  }
}

/** A decision without a proper outcome, reason code, message or digest. */
export class InvalidDecisionError extends D2Error {
  constructor(reason: string) {
    super("invalid_decision", reason);
  }
}

/** Data of an event that its kind does not allow. */
export class InvalidEventError extends D2Error {
  constructor(reason: string, options?: ErrorOptions) {
    super("invalid_event", reason, options);
  }
}

/** A trace without a canonical form, or one that its digest does not belong to. */
export class InvalidTraceError extends D2Error {
  constructor(reason: string, options?: ErrorOptions) {
    super("invalid_trace", reason, options);
  }
}

/** A list of anchors that names one twice, or holds something else. */
export class InvalidAnchorError extends D2Error {
  constructor(reason: string) {
    super("invalid_anchor", reason);
  }
}

/** An event that may not follow what the log holds already. */
export class InvalidOrderError extends D2Error {
  constructor(reason: string) {
    super("invalid_order", reason);
  }
}
