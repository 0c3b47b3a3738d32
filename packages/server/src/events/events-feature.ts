import { AccountPlans } from "../admin/account-plans.js";
import { AppNames } from "../bundles/app-names.js";
import type { Services } from "../http/services.js";
import type { Feature } from "../server-parts.js";
import { eventRoutes } from "./event-routes.js";
import { IngestQueue } from "./ingest-queue.js";
import { ingestRoute } from "./ingest-route.js";
import { RetentionJob } from "./retention-job.js";

/** Taking usage events, reading them, and removing old ones. */
export async function eventsFeature(services: Services): Promise<Feature> {
  const plans = new AccountPlans(services);
  const queue = new IngestQueue(services);
  const retention = new RetentionJob(services);
  return {
    routes: [ingestRoute(queue, plans), ...eventRoutes(new AppNames(services.storage))],
    async close() {
      await queue.close();
      await retention.close();
      plans.close();
    },
  };
}
