import type { Plan } from "d2-core/call";
import type { Recording } from "../log/recorder.js";
import type { Logger } from "./logger.js";

/** What a guard asks at every call. */
export interface Enforcer {
  /** The plan in force; undefined: there is no policy, so every call is denied. */
  readonly plan: Plan | undefined;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly clock: () => number;
  /** Never throws, whatever the logger that the user gave does. */
  readonly logger: Logger;
  /** Whether blocking calls into worker tools fail fast. */
  readonly strict: boolean;
  /** Puts calls into the decision log and tells telemetry of them, where there is either. */
  readonly recorder?: Recording | undefined;
}

/** The place of a named instance. Guards hold it from the start; what it holds changes as instances come and go. */
export interface InstanceSlot {
  readonly name: string;
  enforcer: Enforcer | undefined;
  /** A number for each tool id that was guarded here, counted from 0; the quick way to its rules. */
  readonly tools: Map<string, number>;
  /** How many set-ups and shut-downs have been asked for. */
  asked: number;
  /** Which of them took effect last. */
  effective: number;
}

export const DEFAULT_INSTANCE = "default";

const slots = new Map<string, InstanceSlot>();

/** The slot of an instance, made when first asked for. A name has the same slot as long as the process lives. */
export function instanceSlot(name: string = DEFAULT_INSTANCE): InstanceSlot {
  const known = slots.get(name);
  if (known !== undefined) return known;
  const slot: InstanceSlot = { name, enforcer: undefined, tools: new Map(), asked: 0, effective: 0 };
  slots.set(name, slot);
  return slot;
}

/** Most tool ids of an instance that get a number. */
const MAX_NUMBERED = 20_000;

/** The number of a tool id; -1: there are too many already. */
export function toolNumber({ tools }: InstanceSlot, id: string): number {
  const known = tools.get(id);
  if (known !== undefined) return known;
  if (tools.size >= MAX_NUMBERED) return -1;
  tools.set(id, tools.size);
  return tools.size - 1;
}

/** Every slot that was ever asked for, oldest first. */
export function instanceSlots(): readonly InstanceSlot[] {
  return [...slots.values()];
}
