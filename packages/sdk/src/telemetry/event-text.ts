import { hostname } from "node:os";
import type { ActingUser } from "../context/scope.js";
import { nodeCrypto } from "../setup/node-crypto.js";
import type { RenderedEvent } from "./event-buffer.js";
import type { PolicyIdentity } from "./observation.js";

/** An event, without what every event says. */
export interface UsageEvent {
  readonly type: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly policy: PolicyIdentity;
  readonly user?: ActingUser | undefined;
  /** The type's own fields; undefined ones are left out. */
  readonly fields: object;
  readonly denial?: boolean | undefined;
}

/** The longest text that an event takes from outside, in UTF-16 units; a longer one is cut. */
const MAX_TEXT = 256;

/** Writes events as the control plane takes them. */
export class EventWriter {
  readonly #host = hostname();
  readonly #hashUserIds: boolean;
  readonly #interval: () => number;

  /** @param interval seconds between two posts */
  constructor(hashUserIds: boolean, interval: () => number) {
    this.#hashUserIds = hashUserIds;
    this.#interval = interval;
  }

  write({ type, at, policy, user, fields, denial = false }: UsageEvent): RenderedEvent {
    const payload = {
      service: policy.service ?? "unknown",
      host: this.#host,
      pid: process.pid,
      flush_interval_s: this.#interval(),
      ...(user === undefined ? {} : this.#userFields(user)),
      policy_etag: policy.etag,
      ...fields,
    };
    const occurred = new Date(at).toISOString().replace("Z", "+00:00");
    const text = JSON.stringify({ event_type: type, payload, occurred_at: occurred });
    return { text, bytes: Buffer.byteLength(text), denial };
  }

  #userFields({ userId, session }: ActingUser): object {
    session.id ??= nodeCrypto().randomUUID();
    const user_id = this.#hashUserIds ? hashUserId(userId) : short(userId);
    return { user_id, request_id: session.id };
  }
}

/** SHA-256 of the id's UTF-8, 64 hex digits. */
export function hashUserId(userId: string): string {
  return nodeCrypto().createHash("sha256").update(userId).digest("hex");
}

export function short(text: string): string {
  return text.length <= MAX_TEXT ? text : text.slice(0, MAX_TEXT);
}
