import { liveScope, Scope, scopes } from "../context/scope.js";
import { userScope } from "../context/user.js";
import type { Extractor, RequestUser } from "./extractor.js";

/** The part of node's requests and responses that a session follows. */
export interface NodeEvents {
  emit(name: string | symbol, ...args: unknown[]): boolean;
  once(name: "close", listener: () => void): unknown;
}

/** The context of one request, from the moment its user is known. */
export class RequestSession {
  readonly #scope: Scope;
  #ended = false;

  constructor(user: RequestUser | null | undefined) {
    this.#scope = requestScope(user);
  }

  /** Runs a part of the request in its context. */
  run<T>(block: () => T): T {
    return scopes.run(this.#scope, block);
  }

  /** Ends the session, once: whatever the request left running finds no user from now on. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#scope.end();
    this.#scope.user?.session.close();
  }

  /**
   * Has the listeners of an emitter run in the context of the request. Node emits the events of a request in the
   * context of its connection, so a body parser would lose the user, and so would a handler that listens for `end`.
   */
  adopt(emitter: NodeEvents): void {
    const { emit } = emitter;
    const adopted = (...args: Parameters<typeof emit>): boolean => {
      const forward = (): boolean => Reflect.apply(emit, emitter, args);
      return this.#surrounds(scopes.getStore()) ? forward() : this.run(forward);
    };
    Object.defineProperty(emitter, "emit", { value: adopted, configurable: true, writable: true });
  }

  /** Whether code in `scope` is a part of this request already, perhaps deeper in it. */
  #surrounds(scope: Scope | undefined): boolean {
    for (let at = scope; at !== undefined; at = at.outer) if (at === this.#scope) return true;
    return false;
  }
}

/**
 * Asks for the user of a request and makes its session. Ending it is up to the caller.
 *
 * @throws whatever the extractor throws, and TypeError when what it tells is not a user; there is no session then
 */
export async function openRequest<R>(extract: Extractor<R>, request: R): Promise<RequestSession> {
  const around = new Scope(liveScope(scopes.getStore()), null, 0);
  try {
    // The extractor finds nobody, not a user set around the server.
    return new RequestSession(await scopes.run(around, extract, request));
  } finally {
    around.end();
  }
}

/** The same for a request of node's: the session follows its events, and ends when the response is over or broken off. */
export async function openNodeRequest<R>(
  extract: Extractor<R>,
  request: R,
  incoming: NodeEvents,
  outgoing: NodeEvents,
): Promise<RequestSession> {
  let session: RequestSession | undefined;
  let over = isOver(outgoing);
  // The client may leave while the extractor still works.
  outgoing.once("close", () => {
    over = true;
    session?.end();
  });
  session = await openRequest(extract, request);
  if (over) session.end();
  session.adopt(incoming);
  session.adopt(outgoing);
  return session;
}

function isOver(outgoing: object): boolean {
  return Reflect.get(outgoing, "closed") === true || Reflect.get(outgoing, "destroyed") === true;
}

function requestScope(user: RequestUser | null | undefined): Scope {
  if (user === undefined || user === null) return new Scope(liveScope(scopes.getStore()), null, 0);
  const scope = userScope(user.userId, user);
  // INVARIANT: what outlives the request finds nobody, not a user set around the server.
  scope.outer = new Scope(scope.outer, null, 0);
  return scope;
}
