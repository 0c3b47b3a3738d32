import type { Extractor, HeaderList } from "./extractor.js";
import { answersRefusals, PROBLEM_HEADERS, type Problem, problemOf, type WebOptions } from "./problem.js";
import { openRequest, type RequestSession } from "./run-request.js";
import { adoptStream } from "./stream-body.js";

export {
  type Extractor,
  type HeaderList,
  type HeaderRecord,
  type HeaderSource,
  headersExtractor,
  type RequestUser,
} from "./extractor.js";
export type { WebOptions } from "./problem.js";

/** What is needed of hono's context. */
export interface HonoContext {
  readonly req: { readonly raw: { readonly headers: HeaderList; readonly signal: AbortSignal } };
  res: Response;
  readonly error: Error | undefined;
}

/**
 * Makes a middleware for hono that runs what comes after it for the user whom `extract` tells from the context. The
 * session ends when the body of the response has been produced or given up. A body that is produced while it is sent
 * is produced in the context of the request.
 *
 * A refused call that a handler lets through becomes a 403 problem document. Hono shows every error to `app.onError`
 * first, whose answer this one replaces. Other errors, also those of `extract`, are left to hono; with
 * `errors: "throw"` refusals are too.
 *
 * @throws TypeError when an option is not one
 */
export function d2Hono<C extends HonoContext>(
  extract: Extractor<C>,
  options: WebOptions = {},
): (context: C, next: () => Promise<void>) => Promise<Response | undefined> {
  const answers = answersRefusals(options);
  return async (context, next) => {
    let session: RequestSession | undefined;
    try {
      session = await openRequest(extract, context);
      endOnAbort(session, context.req.raw.signal);
      await session.run(next);
    } catch (error) {
      session?.end();
      const problem = answers ? problemOf(error) : undefined;
      if (problem === undefined) throw error;
      return responseOf(problem);
    }
    const problem = answers ? problemOf(context.error) : undefined;
    if (problem !== undefined) context.res = responseOf(problem);
    adoptResponse(session, context);
    return undefined;
  };
}

function endOnAbort(session: RequestSession, signal: AbortSignal): void {
  if (signal.aborted) session.end();
  else signal.addEventListener("abort", () => session.end(), { once: true });
}

function adoptResponse(session: RequestSession, context: HonoContext): void {
  const response = context.res;
  if (response.body === null || response.body.locked) {
    session.end();
    return;
  }
  context.res = new Response(
    adoptStream(session, response.body, () => session.end()),
    response,
  );
}

function responseOf(problem: Problem): Response {
  return new Response(JSON.stringify(problem), { status: problem.status, headers: PROBLEM_HEADERS });
}
