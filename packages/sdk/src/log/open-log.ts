import { resolve } from "node:path";
import { ConfigurationError } from "d2-core/call";
import type { Logger } from "../setup/logger.js";
import type { PolicyEngine } from "../setup/policy-engine.js";
import { DecisionLog } from "./decision-log.js";
import { openFileSink } from "./file-sink.js";
import type { DecisionLogPlan } from "./log-options.js";
import type { DecisionSink } from "./sink.js";

interface OpenLog {
  readonly log: DecisionLog;
  readonly settings: string;
  users: number;
}

/** The logs that are open, by path or sink: instances that say the same share one, so that a session is whole in it. */
const open = new Map<string | DecisionSink, OpenLog>();

/**
 * Opens a decision log, or joins the one that another instance has open there.
 *
 * @throws ConfigurationError when it cannot be opened, or is open with other settings
 */
export function openLog(
  plan: DecisionLogPlan,
  { RecordWriter }: PolicyEngine,
  { clock, logger }: { readonly clock: () => number; readonly logger: Logger },
): { readonly log: DecisionLog; readonly close: () => Promise<void> } {
  const key = plan.sink ?? `${resolve(plan.path ?? "")}\n${plan.stream ?? ""}`;
  const settings = JSON.stringify([plan.sync, plan.limit, plan.whenFull, plan.rotate, plan.sign ?? null]);
  let entry = open.get(key);
  if (entry === undefined) {
    const sink = plan.sink ?? openFileSink({ ...plan, path: plan.path ?? "", clock, logger });
    const log = new DecisionLog({ ...plan, sink, logger }, new RecordWriter(sink.stream, sink.position));
    entry = { log, settings, users: 0 };
    open.set(key, entry);
  } else if (entry.settings !== settings) {
    throw new ConfigurationError(
      "the decision log is open for another instance with other settings: give both the same, or other places",
    );
  }
  const shared = entry;
  shared.users += 1;
  const close = async (): Promise<void> => {
    shared.users -= 1;
    if (shared.users > 0) return shared.log.flush().catch(() => undefined);
    open.delete(key);
    await shared.log.close();
  };
  return { log: shared.log, close };
}
