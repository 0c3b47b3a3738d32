import { type Decision, deny } from "../decision.js";

/** The decision on every call of a worker tool where those are switched off. */
export const STRICT_SYNC: Decision = deny("strict_sync", "policy_state");
