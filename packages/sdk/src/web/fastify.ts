import type { Extractor, HeaderRecord } from "./extractor.js";
import {
  answersRefusals,
  BODY_HEADERS,
  PROBLEM_HEADERS,
  type Problem,
  problemOf,
  type WebOptions,
} from "./problem.js";
import { type NodeEvents, openNodeRequest } from "./run-request.js";

export {
  type Extractor,
  type HeaderList,
  type HeaderRecord,
  type HeaderSource,
  headersExtractor,
  type RequestUser,
} from "./extractor.js";
export type { WebOptions } from "./problem.js";

/** What is needed of fastify's request. */
export interface FastifyRequestLike {
  readonly headers: HeaderRecord;
  readonly raw: NodeEvents;
}

/** What is needed of fastify's reply. */
export interface FastifyReplyLike {
  readonly raw: NodeEvents;
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  removeHeader(name: string): unknown;
  send(body: string): unknown;
}

/** What is needed of a fastify instance. */
export interface FastifyLike {
  // Takes any `addHook`, whose types in fastify depend on a dozen parameters of the instance.
  addHook(name: never, hook: never): unknown;
}

/** A plugin for `app.register`. */
export type FastifyPluginLike = (
  instance: FastifyLike,
  options: unknown,
  done: (error?: Error) => void,
) => void;

type Done = (error?: Error) => void;
type ErrorHandler = (
  this: unknown,
  error: Error,
  request: FastifyRequestLike,
  reply: FastifyReplyLike,
) => unknown;
type SendDone = (error: Error | null, payload?: unknown) => void;

/** `addHook` as this plugin calls it. */
interface Hooks {
  addHook(
    name: "onRequest",
    hook: (request: FastifyRequestLike, reply: FastifyReplyLike, done: Done) => void,
  ): unknown;
  addHook(name: "onRoute", hook: (route: { errorHandler?: ErrorHandler }) => void): unknown;
  addHook(
    name: "onError",
    hook: (request: FastifyRequestLike, reply: FastifyReplyLike, error: Error, done: () => void) => void,
  ): unknown;
  addHook(
    name: "onSend",
    hook: (request: FastifyRequestLike, reply: FastifyReplyLike, payload: unknown, done: SendDone) => void,
  ): unknown;
}

/**
 * Makes a plugin for fastify 5 that runs the requests of the instance it is registered on, and of those within, for the
 * user whom `extract` tells. The session ends when the response is over or broken off.
 *
 * A refused call that a handler lets through becomes a 403 problem document, before any error handler; every other
 * error, also of `extract`, goes fastify's way. Await the registration, or declare the routes in plugins: for routes
 * that were there before the plugin, error handlers see a refusal first, though the client gets the same answer.
 *
 * @throws TypeError when an option is not one
 */
export function d2Fastify<Req extends FastifyRequestLike>(
  extract: Extractor<Req>,
  options: WebOptions = {},
): FastifyPluginLike {
  const answers = answersRefusals(options);
  const plugin: FastifyPluginLike = (instance, _options, done) => {
    // Fastify's `addHook` takes these hooks; its declared parameters cannot be written without fastify's types.
    const hooks = instance as unknown as Hooks;
    hooks.addHook("onRequest", (request, reply, next) => {
      // The request is the one that the user declared the extractor for: this plugin sees no other.
      openNodeRequest(extract, request as Req, request.raw, reply.raw).then(
        (session) => session.run(() => next()),
        (error: unknown) =>
          next(error instanceof Error ? error : new Error("the extractor failed", { cause: error })),
      );
    });
    if (answers) answerRefusals(hooks);
    done();
  };
  return Object.assign(plugin, {
    // Fastify's marks of a plugin that acts on the instance it is registered on.
    [Symbol.for("skip-override")]: true,
    [Symbol.for("fastify.display-name")]: "d2",
    [Symbol.for("plugin-meta")]: { name: "d2", fastify: "5.x" },
  });
}

function answerRefusals(hooks: Hooks): void {
  // A route's error handler comes before those of the application; what it throws goes on to them.
  hooks.addHook("onRoute", (route) => {
    const { errorHandler } = route;
    route.errorHandler = function (error, request, reply) {
      const problem = problemOf(error);
      if (problem !== undefined) return answer(reply, problem);
      if (errorHandler === undefined) throw error;
      return Reflect.apply(errorHandler, this, [error, request, reply]);
    };
  });
  // Routes that were declared before have no such handler: what theirs makes of a refusal is replaced on the way out.
  const refused = new WeakMap<object, Problem>();
  hooks.addHook("onError", (request, _reply, error, done) => {
    const problem = problemOf(error);
    if (problem !== undefined) refused.set(request, problem);
    done();
  });
  hooks.addHook("onSend", (request, reply, payload, done) => {
    const problem = refused.get(request);
    if (problem === undefined) return done(null, payload);
    describe(reply, problem);
    done(null, JSON.stringify(problem));
  });
}

function answer(reply: FastifyReplyLike, problem: Problem): unknown {
  describe(reply, problem);
  return reply.send(JSON.stringify(problem));
}

function describe(reply: FastifyReplyLike, problem: Problem): void {
  for (const name of BODY_HEADERS) reply.removeHeader(name);
  reply.code(problem.status);
  for (const [name, value] of Object.entries(PROBLEM_HEADERS)) reply.header(name, value);
}
