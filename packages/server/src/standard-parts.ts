import { eventsFeature } from "./events/events-feature.js";
import { policyFeature } from "./publishing/policy-feature.js";
import type { ServerParts } from "./server-parts.js";
import { SigningKeys } from "./signing/signing-keys.js";

/** The keys that sign, and the groups of routes, that a server has unless it is given others. */
export const standardParts: Pick<ServerParts, "signing" | "features"> = {
  signing: (services) => SigningKeys.open(services),
  features: [policyFeature, eventsFeature],
};
