import { type Answer, type Route, route } from "../http/route.js";
import type { Services } from "../http/services.js";

const DESCRIPTION = {
  method: "GET",
  path: "/metrics",
  summary: "Metrics in the Prometheus text format",
  tag: "server",
  logLevel: "debug",
  responses: { 200: { description: "The metrics", contentType: "text/plain" } },
} as const;

function page({ services }: { readonly services: Services }): Answer {
  return {
    status: 200,
    headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" },
    body: services.metrics.registry.text(),
  };
}

/** `GET /metrics`, for anybody, or with the scope `metrics.read`. */
export function metricsRoute(needsToken: boolean): Route {
  return needsToken
    ? route({ ...DESCRIPTION, access: { scopes: ["metrics.read"] }, handler: page })
    : route({ ...DESCRIPTION, access: "public", handler: page });
}
