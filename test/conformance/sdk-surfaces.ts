import { replayLog } from "d2-policy/log";
import { clearUserContext, configureRbac, d2Guard, runAs, shutdownRbac } from "d2-sdk";
import { MemorySink } from "d2-sdk/log";
import type { VectorUser } from "./expand.js";
import type { Invocation, LoadedSurface, Surface } from "./surface.js";

let instances = 0;

/** The guard around a synchronous function, around an asynchronous one, and on a method. */
export const SDK_SURFACES: readonly Surface[] = [
  sdkSurface("sync guard", false, (id, options, body) =>
    d2Guard(id, options, function tool(..._args: unknown[]) {
      return body(undefined);
    }),
  ),
  sdkSurface("async guard", true, (id, options, body) =>
    d2Guard(id, options, async function tool(..._args: unknown[]) {
      return body(undefined);
    }),
  ),
  sdkSurface("decorator", true, (id, options, body) => {
    class Tools {
      @d2Guard(id, options)
      async tool(..._args: unknown[]): Promise<unknown> {
        return body(undefined);
      }
    }
    const tools = new Tools();
    return (...args) => tools.tool(...args);
  }),
];

/**
 * The guard with a decision log of everything. When it is closed the log is replayed, and must give the very decisions that
 * the guard took.
 */
export const RECORDED_SURFACES: readonly Surface[] = SDK_SURFACES.slice(0, 2).map((surface) => ({
  ...surface,
  name: `recorded ${surface.name}`,
  load: (policy, limits) => loadRecorded(surface, policy, limits),
}));

async function loadRecorded(...[surface, policy, limits]: [Surface, ...Parameters<Surface["load"]>]) {
  const sink = new MemorySink();
  const loaded = await surface.load(policy, limits, sink);
  return {
    ...loaded,
    async close() {
      await loaded.close();
      const { ok, findings, replay } = await replayLog([sink.text], {
        policies: (digest) => ({ text: sink.policies.get(digest) ?? "" }),
      });
      const causes = Object.keys(replay.causes).filter((cause) => !UNREPLAYABLE.has(cause));
      if (!ok || replay.different > 0 || causes.length > 0) {
        throw new Error(`the replay differs: ${JSON.stringify({ findings, causes })}\n${sink.text}`);
      }
    },
  };
}

/** What vectors do that no record can hold: values that are no data, and errors and streams that are judged. */
const UNREPLAYABLE: ReadonlySet<string> = new Set([
  "arguments_withheld",
  "output_withheld",
  "thrown",
  "stream",
]);

type Wrap = (
  id: string,
  options: Record<string, unknown>,
  body: Invocation["body"],
) => (...args: unknown[]) => unknown;

function sdkSurface(name: string, asynchronous: boolean, wrap: Wrap): Surface {
  return {
    name,
    asynchronous,
    async load(policy, limits, sink) {
      instances += 1;
      const instance = `vector-${instances}`;
      await configureRbac({
        policy,
        instance,
        logger: SILENT,
        limits,
        decisionLog: sink === undefined ? undefined : { sink, level: "full" },
      });
      return loaded(instance, wrap);
    },
  };
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

function loaded(instance: string, wrap: Wrap): LoadedSurface {
  const as = <T>(user: VectorUser, block: (context: unknown) => T): T =>
    runAs(user.id, { roles: user.roles }, () => block(undefined));
  return {
    runAs: (user, _context, block) => as(user, block),
    request(user, block) {
      if (user === null) return block(undefined);
      if (user.id === "") {
        try {
          return as(user, block);
        } catch (error) {
          if (!(error instanceof TypeError)) throw error;
          return block(undefined);
        }
      }
      return as(user, block);
    },
    clear: clearUserContext,
    call({ step, args, body }) {
      const options: Record<string, unknown> = { instance };
      if (step.params !== undefined && step.rest !== true) options["params"] = step.params;
      if (Object.hasOwn(step, "on_deny")) options["onDeny"] = step.on_deny;
      return wrap(step.tool, options, body)(...args);
    },
    close: () => shutdownRbac(instance),
  };
}
