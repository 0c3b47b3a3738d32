import {
  compilePlan,
  type Decision,
  decideCall,
  decideRelease,
  decideThrown,
  type Plan,
  parameterNames,
  Session,
} from "d2-core";
import { loadPolicy } from "d2-policy";
import type { VectorUser } from "./expand.js";
import type { LoadedSurface, Surface } from "./surface.js";

/** Where a call is made, as far as the core is concerned. */
interface Context {
  readonly user: VectorUser | undefined;
  readonly session: Session;
  readonly enclosing: number;
  readonly cleared: { now: boolean };
}

class Refused extends Error {
  constructor(
    readonly reason: string,
    readonly violations: Decision["violations"],
  ) {
    super(reason);
  }
}
class NoContextError extends Refused {}
class MissingPolicyError extends Refused {}
class BundleExpiredError extends Refused {}

/** The pure core, driven by the fewest lines that can. */
export const CORE_SURFACE: Surface = {
  name: "core",
  asynchronous: true,
  async load(policy, limits) {
    const document = loadPolicy(policy, { now: Date.now(), ...(limits === undefined ? {} : { limits }) });
    return surface(compilePlan(document.document, { expiresAt: document.expiresAt }));
  },
};

function surface(plan: Plan): LoadedSurface {
  const of = (context: unknown): Context => context as Context;
  return {
    async close() {},
    request(user, block) {
      const valid = user === null || user.id === "" ? undefined : user;
      return block({ user: valid, session: new Session(), enclosing: 0, cleared: { now: false } });
    },
    clear(context) {
      of(context).cleared.now = true;
    },
    runAs(user, context, block) {
      const session = new Session(of(context).session);
      const result = block({ user, session, enclosing: of(context).enclosing, cleared: { now: false } });
      // Vectors run their blocks asynchronously.
      return (result as Promise<unknown>).finally(() => session.close()) as typeof result;
    },
    call({ step, args, body }, given) {
      const context = of(given);
      const user = context.cleared.now ? undefined : context.user;
      const expired = plan.expiresAt !== undefined && Date.now() >= plan.expiresAt;
      const names = step.params === undefined || step.rest === true ? undefined : parameterNames(step.params);
      const { session, enclosing } = context;
      const verdict = decideCall(
        expired ? "expired" : "current",
        user === undefined ? undefined : plan.view(user.roles),
        {
          tool: step.tool,
          session,
          enclosing,
          names,
          args,
        },
      );
      const refuse = (decision: Decision): unknown => {
        if (Object.hasOwn(step, "on_deny")) return step.on_deny;
        throw refusal(decision);
      };
      const { entry } = verdict;
      if (verdict.decision.outcome === "deny" || entry === undefined) return refuse(verdict.decision);
      const call = session.begin(step.tool, enclosing);
      session.addFacts(entry.labels);
      return Promise.resolve(body({ ...context, enclosing: call })).then(
        (value) => {
          const release = decideRelease(entry.output, value);
          session.end(call, release.decision.outcome === "allow");
          return release.decision.outcome === "allow" ? release.value : refuse(release.decision);
        },
        (thrown: unknown) => {
          session.end(call, false);
          const denial = thrown instanceof Refused ? undefined : decideThrown(entry.output, thrown);
          if (denial !== undefined) return refuse(denial);
          throw thrown;
        },
      );
    },
  };
}

function refusal({ reason, violations }: Decision): Refused {
  if (reason === "no_context") return new NoContextError(reason, violations);
  if (reason === "missing_policy") return new MissingPolicyError(reason, violations);
  if (reason === "policy_expired") return new BundleExpiredError(reason, violations);
  return new Refused(reason, violations);
}
