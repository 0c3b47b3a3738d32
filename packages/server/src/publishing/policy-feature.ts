import { AccountPlans } from "../admin/account-plans.js";
import { AppNames } from "../bundles/app-names.js";
import { BundleCache } from "../bundles/bundle-cache.js";
import { bundleRoutes } from "../bundles/bundle-routes.js";
import type { Services } from "../http/services.js";
import type { Feature } from "../server-parts.js";
import { draftRoutes } from "./draft-routes.js";
import { PolicyCheck } from "./policy-check.js";
import { publishRoutes } from "./publish-routes.js";
import { Publisher } from "./publisher.js";
import { versionRoutes } from "./version-routes.js";

/** Bundles, publishing, versions and drafts. */
export async function policyFeature(services: Services): Promise<Feature> {
  const plans = new AccountPlans(services);
  const bundles = new BundleCache(services, plans);
  const names = new AppNames(services.storage);
  const check = new PolicyCheck(plans, services.clock);
  const publisher = new Publisher(services, check, bundles);
  return {
    routes: [
      ...bundleRoutes({ bundles, names }),
      ...publishRoutes(publisher, names),
      ...versionRoutes(names),
      ...draftRoutes(check),
    ],
    async close() {
      bundles.close();
      plans.close();
    },
  };
}
