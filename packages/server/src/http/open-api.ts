import { type ZodType, z } from "zod";
import { type Answer, type Route, type RouteDescription, route } from "./route.js";
import type { Services } from "./services.js";

type Json = Readonly<Record<string, unknown>>;

const INFO = Object.freeze({
  title: "d2 control plane",
  version: "1",
  description: "Signed policies, their versions, and usage events.",
  license: { name: "Apache-2.0", identifier: "Apache-2.0" },
});

const PROBLEM = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  code: z.string(),
  error: z.string(),
  request_id: z.string(),
  issues: z.array(z.object({ in: z.string(), path: z.string(), message: z.string() })).optional(),
});

function jsonSchema(schema: ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}

function parameters(schema: ZodType | undefined, place: "path" | "query" | "header"): Json[] {
  if (schema === undefined) return [];
  const { properties, required } = jsonSchema(schema, "input");
  const names = Array.isArray(required) ? required : [];
  return Object.entries(properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    required: place === "path" || names.includes(name),
    ...(isDescribed(property) ? { description: property.description } : {}),
    schema: property,
  }));
}

function isDescribed(value: unknown): value is { readonly description: string } {
  return (
    typeof value === "object" &&
    value !== null &&
    "description" in value &&
    typeof value.description === "string"
  );
}

function requestBody(route: RouteDescription): Json {
  if (route.rawBody === true) {
    return { requestBody: { required: true, content: { "application/octet-stream": {} } } };
  }
  if (route.body === undefined) return {};
  const schema = jsonSchema(route.body, "input");
  const required = !route.body.safeParse(undefined).success;
  return { requestBody: { required, content: { "application/json": { schema } } } };
}

function responses(route: RouteDescription): Json {
  const own = Object.entries(route.responses).map(([status, { description, schema, contentType }]) => {
    const type = contentType ?? (schema === undefined ? undefined : "application/json");
    if (type === undefined) return [status, { description }];
    return [
      status,
      {
        description,
        content: { [type]: schema === undefined ? {} : { schema: jsonSchema(schema, "output") } },
      },
    ];
  });
  return {
    ...Object.fromEntries(own),
    default: {
      description: "A problem document (RFC 9457); `code` is stable.",
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
    },
  };
}

function security(access: RouteDescription["access"]): Json {
  return access === "public"
    ? { security: [] }
    : { security: access.scopes.map((scope) => ({ token: [scope] })) };
}

function operation(route: RouteDescription): Json {
  const given = [
    ...parameters(route.params, "path"),
    ...parameters(route.query, "query"),
    ...parameters(route.headers, "header"),
  ];
  return {
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    operationId: `${route.method.toLowerCase()}${route.path.replaceAll(/[^A-Za-z0-9]+/g, "_").replace(/_$/, "")}`,
    tags: [route.tag],
    ...security(route.access),
    ...(given.length === 0 ? {} : { parameters: given }),
    ...requestBody(route),
    responses: responses(route),
  };
}

/** The OpenAPI 3.1 document of the routes. */
export function openApiDocument(routes: readonly RouteDescription[]): Json {
  const paths = new Map<string, Map<string, Json>>();
  for (const route of routes) {
    const methods = paths.get(route.path) ?? new Map<string, Json>();
    paths.set(route.path, methods.set(route.method.toLowerCase(), operation(route)));
  }
  return {
    openapi: "3.1.0",
    info: INFO,
    paths: Object.fromEntries([...paths].map(([path, methods]) => [path, Object.fromEntries(methods)])),
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "A token; scopes as listed." },
      },
      schemas: { Problem: jsonSchema(PROBLEM, "output") },
    },
  };
}

/** `GET /v1/openapi.json` for the routes and itself. The document is made when it is first asked for. */
export function openApiRoute<S extends Services>(routes: readonly Route<S>[]): Route {
  let text: string | undefined;
  const own: Route = route({
    method: "GET",
    path: "/v1/openapi.json",
    summary: "This document",
    tag: "server",
    access: "public",
    responses: { 200: { description: "OpenAPI 3.1", schema: z.looseObject({}) } },
    handler: (): Answer => {
      text ??= JSON.stringify(openApiDocument([...routes, own]));
      return {
        status: 200,
        headers: { "Content-Type": "application/json", "Cache-Control": "public, max-age=300" },
        body: text,
      };
    },
  });
  return own;
}
