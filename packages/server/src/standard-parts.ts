import type { ServerParts } from "./server-parts.js";

/** The keys that sign, and the groups of routes, that a server has unless it is given others. */
export const standardParts: Pick<ServerParts, "signing" | "features"> = {
  signing: () => Promise.reject(new Error("no signing keys yet")),
  features: [],
};
