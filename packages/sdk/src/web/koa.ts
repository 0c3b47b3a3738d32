import type { Extractor, HeaderRecord } from "./extractor.js";
import {
  answersRefusals,
  BODY_HEADERS,
  PROBLEM_HEADERS,
  type Problem,
  problemOf,
  type WebOptions,
} from "./problem.js";
import { type NodeEvents, openNodeRequest, type RequestSession } from "./run-request.js";
import { adoptBody } from "./stream-body.js";

export {
  type Extractor,
  type HeaderList,
  type HeaderRecord,
  type HeaderSource,
  headersExtractor,
  type RequestUser,
} from "./extractor.js";
export type { WebOptions } from "./problem.js";

/** What is needed of koa's context. */
export interface KoaContext {
  readonly headers: HeaderRecord;
  readonly req: NodeEvents;
  readonly res: NodeEvents;
  readonly headerSent: boolean;
  status: number;
  body: unknown;
  set(name: string, value: string): unknown;
  remove(name: string): void;
}

/**
 * Makes a middleware for koa that runs what comes after it for the user whom `extract` tells from the context. The
 * session ends when the response is over or broken off, or what comes after throws.
 *
 * A refused call that reaches it becomes a 403 problem document; every other error, also of `extract`, goes on.
 *
 * @throws TypeError when an option is not one
 */
export function d2Koa<C extends KoaContext>(
  extract: Extractor<C>,
  options: WebOptions = {},
): (context: C, next: () => Promise<unknown>) => Promise<void> {
  const answers = answersRefusals(options);
  return async (context, next) => {
    let session: RequestSession | undefined;
    try {
      session = await openNodeRequest(extract, context, context.req, context.res);
      await session.run(next);
      adoptBody(session, context);
    } catch (error) {
      session?.end();
      const problem = answers && !context.headerSent ? problemOf(error) : undefined;
      if (problem === undefined) throw error;
      answer(context, problem);
    }
  };
}

function answer(context: KoaContext, problem: Problem): void {
  for (const name of BODY_HEADERS) context.remove(name);
  context.status = problem.status;
  context.body = JSON.stringify(problem);
  for (const [name, value] of Object.entries(PROBLEM_HEADERS)) context.set(name, value);
}
