import type { Logger } from "pino";
import type { Route } from "./http/route.js";
import type { Services, Signing } from "./http/services.js";
import type { Storage } from "./storage/storage.js";

/** Everything but the keys that sign. */
export type BaseServices = Omit<Services, "signing">;

/** A part of the server with something to end. */
export interface Closable {
  close(): Promise<void>;
}

/** A group of routes with what it runs beside them. */
export interface Feature extends Closable {
  readonly routes: readonly Route[];
}

/** What a server is made of, where it is not the usual; for tests and for programs that bring their own. */
export interface ServerParts {
  /** Milliseconds since 1970-01-01T00:00:00Z. Default: the system's. */
  readonly clock: () => number;
  /** Milliseconds that only ever grow. Default: the system's. */
  readonly monotonic: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Default: JSON lines on standard output. */
  readonly logger: Logger;
  /** Closed with the server. Default: the database of the settings. */
  readonly storage: Storage;
  readonly signing: (services: BaseServices) => Promise<Signing & Closable>;
  readonly features: readonly ((services: Services) => Promise<Feature>)[];
}
