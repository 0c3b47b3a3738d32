import type { Logger } from "pino";
import type { Metrics } from "../observe/metrics.js";
import type { Settings } from "../settings.js";
import type { App, SigningKey, Storage } from "../storage/storage.js";

/** How a rotation is asked for. */
export interface RotationRequest {
  /** Sign with the new key at once, instead of after the lead (`settings.rotationLeadSeconds`). */
  readonly immediate: boolean;
  /** Default: `settings.signingAlgorithm`. */
  readonly alg?: SigningKey["alg"] | undefined;
  /** A few words for the JWS header and the log. Default: `scheduled` or `immediate`. */
  readonly reason?: string | undefined;
}

/** Signs in the name of the server, for a while. */
export interface Signer {
  readonly kid: string;
  /** From this instant on another key signs, or the same one with another header. */
  readonly until: number;
  /** @returns compact JWS; the same one for the same payload */
  sign(payload: string): Promise<string>;
}

/** What the HTTP side asks of the keys that sign bundles. */
export interface Signing {
  /** Whether there is a key that may sign now. Answers from memory. */
  ready(): boolean;
  /** Every listed key, oldest first. Answers from memory. */
  keys(): readonly SigningKey[];
  /** What signs at that instant; the same object for as long as it signs the same. Answers from memory. */
  signer(at: number): Signer | undefined;
  /** Makes a key and stores it. @returns the new key */
  rotate(request: RotationRequest): Promise<SigningKey>;
}

/** Makes apps, within what their accounts' plans have room for. */
export interface AppMaker {
  /** @throws Problem 403 when the plan has no room, 409 when the name is taken */
  create(accountId: string, name: string): Promise<App>;
  /** The app of that name, made if it is not there. @throws Problem 403 when the plan has no room */
  obtain(accountId: string, name: string): Promise<App>;
}

/** What every route can reach. A group of routes that needs more extends this (see `routesOf`). */
export interface Services {
  readonly storage: Storage;
  readonly signing: Signing;
  /** Makes apps, within what the account's plan has room for. */
  readonly appCreation: AppMaker;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly clock: () => number;
  /** Milliseconds that only ever grow; for durations. */
  readonly monotonic: () => number;
  /** That many unpredictable bytes. */
  readonly randomBytes: (count: number) => Uint8Array;
  readonly logger: Logger;
  readonly settings: Settings;
  readonly metrics: Metrics;
  /** Whether the server was told to stop and only finishes what it began. */
  readonly closing: () => boolean;
}
