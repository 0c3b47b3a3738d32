import type { Plan, Settings } from "../settings.js";

/** For clients that must be told a number where there is no limit. */
const NO_LIMIT = 1_000_000;

/** The limits of a plan; a plan that is not listed has none. */
export function planNamed(settings: Settings, name: string): Plan {
  return Object.hasOwn(settings.plans, name) ? (settings.plans[name] ?? {}) : {};
}

/** What clients are told of a plan, in the words of the protocol. */
export function quotasOf(plan: Plan) {
  return {
    max_tools: plan.max_tools ?? NO_LIMIT,
    event_batch: plan.event_batch ?? 1000,
    ingest_interval: plan.ingest_interval ?? 60,
  };
}
