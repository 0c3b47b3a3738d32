import type { HexDigest, Mask, PolicyIdentity } from "d2-core";
import type { Logger } from "../setup/logger.js";
import type { PolicyEngine } from "../setup/policy-engine.js";
import type { PolicyText } from "../source/policy-source.js";
import type { DecisionLogPlan } from "./log-options.js";
import { openLog } from "./open-log.js";
import { Recorder } from "./recorder.js";

/** What an instance needs to know of itself for its log. */
export interface InstanceOfLog {
  readonly clock: () => number;
  readonly logger: Logger;
  readonly tenant?: string | undefined;
}

/** The part of one instance in a decision log: its own policy, tenant, level and mask. */
export class InstanceLog {
  readonly recorder: Recorder;
  readonly close: () => Promise<void>;
  readonly #contextOf: (identity: PolicyIdentity) => Recorder["context"];

  /** @throws ConfigurationError when the log cannot be opened */
  constructor(
    plan: DecisionLogPlan,
    engine: PolicyEngine,
    { clock, logger, tenant = "default" }: InstanceOfLog,
  ) {
    const mask: Mask = engine.readMask(plan.mask);
    this.#contextOf = (identity) => engine.recordContext(tenant, identity, plan.level, mask);
    const { log, close } = openLog(plan, engine, { clock, logger });
    this.close = close;
    this.recorder = new Recorder(log, this.#contextOf(engine.NO_POLICY), engine.capture);
  }

  /** Names the policy whose decisions the next ones are, and keeps its text. */
  adopt(
    policy: { readonly name: string; readonly version: string; readonly digest: string },
    text: PolicyText,
  ): void {
    const { content, format = "yaml" } = text;
    if (typeof content === "string") this.recorder.log.keepPolicy(policy.digest, content, format);
    else this.recorder.log.keepPolicy(policy.digest, JSON.stringify(content), "json");
    this.recorder.context = this.#contextOf({
      policyId: policy.name,
      policyVersion: policy.version,
      // A loaded policy's digest is that of its normalised document.
      policyDigest: policy.digest as HexDigest,
    });
  }

  /** There is no policy any more, and the next decisions are those of none. */
  leave({ NO_POLICY }: PolicyEngine): void {
    this.recorder.context = this.#contextOf(NO_POLICY);
  }
}
