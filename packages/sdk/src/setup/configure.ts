import { ConfigurationError } from "d2-core/call";
import type { PolicyAnswer } from "../source/policy-source.js";
import { startTelemetry, type Telemetry } from "../telemetry/telemetry.js";
import { loadEngine, loadEngineSync, type PolicyEngine } from "./policy-engine.js";
import { PolicyManager } from "./policy-instance.js";
import { DEFAULT_INSTANCE, type InstanceSlot, instanceSlot, instanceSlots } from "./registry.js";
import { type RbacOptions, readSettings, type Settings } from "./settings.js";

/**
 * Sets an instance up: finds its policy, checks it, puts it in force, and keeps it up to date. An instance of that name
 * that is there already is replaced in one step; if the set-up fails, it stays. A set-up during which another, or a
 * shut-down, is asked for has no effect, and gives an instance that is closed.
 *
 * With a token the policy comes from the control plane. One that is not reached is no error: calls are denied until a
 * policy comes.
 *
 * @throws (as rejections) ConfigurationError for options, an environment, a token or a policy that cannot be used, with
 * every fault in `diagnostics`; BundleExpiredError, TooManyToolsError, PolicyTooLargeError, InvalidSignatureError,
 * PolicyError, D2PlanLimitError
 */
export async function configureRbac(options: RbacOptions = {}): Promise<PolicyManager> {
  const settings = readSettings(options);
  const request = ask(settings.instance);
  const engine = await loadEngine();
  const telemetry = startTelemetry(settings);
  const answer = await settings.source.load().catch((error: unknown) => givenUp(telemetry, error));
  return install(request, settings, newManager(settings, engine, answer, telemetry));
}

/** The same as `configureRbac`. */
export const configureRbacAsync: typeof configureRbac = configureRbac;

/**
 * Like `configureRbac`, but blocks until the policy is in force or has failed. Nothing else of this thread runs
 * meanwhile, so the control plane must not be in it.
 *
 * @throws what `configureRbac` rejects with; ConfigurationError on Node before 20.19
 */
export function configureRbacSync(options: RbacOptions = {}): PolicyManager {
  const settings = readSettings(options);
  const engine = loadEngineSync();
  const telemetry = startTelemetry(settings);
  let answer: PolicyAnswer;
  try {
    answer = settings.source.loadSync();
  } catch (error) {
    return givenUp(telemetry, error);
  }
  return install(ask(settings.instance), settings, newManager(settings, engine, answer, telemetry));
}

/** Shuts an instance down, at once: its guards deny every call until it is set up again. None of that name: nothing. */
export async function shutdownRbac(name: string = DEFAULT_INSTANCE): Promise<void> {
  const { slot, number } = ask(name);
  const { enforcer } = slot;
  slot.effective = number;
  slot.enforcer = undefined;
  if (enforcer instanceof PolicyManager) await enforcer.close();
}

/** Shuts every instance down. */
export async function shutdownAllRbac(): Promise<void> {
  await Promise.all(instanceSlots().map(({ name }) => shutdownRbac(name)));
}

/**
 * The policy of an instance, to look at and to reload.
 *
 * @throws ConfigurationError when no such instance is set up
 */
export function getPolicyManager(name: string = DEFAULT_INSTANCE): PolicyManager {
  const { enforcer } = instanceSlot(name);
  if (enforcer instanceof PolicyManager && !enforcer.closed) return enforcer;
  const call = name === DEFAULT_INSTANCE ? "configureRbac()" : "configureRbac({ instance })";
  throw new ConfigurationError(`the instance \`${name}\` is not set up: \`await ${call}\` first`);
}

function newManager(
  settings: Settings,
  engine: PolicyEngine,
  answer: PolicyAnswer,
  telemetry: Telemetry | undefined,
): PolicyManager {
  try {
    return new PolicyManager(settings, engine, answer, telemetry);
  } catch (error) {
    return givenUp(telemetry, error);
  }
}

/** The set-up has failed, which telemetry tells although there will be no instance. */
function givenUp(telemetry: Telemetry | undefined, error: unknown): never {
  telemetry?.failed(error);
  void telemetry?.close();
  throw error;
}

/** A set-up or shut-down that was asked for. One that was asked for later wins, whichever is done first. */
interface Request {
  readonly slot: InstanceSlot;
  readonly number: number;
}

function ask(name: string): Request {
  const slot = instanceSlot(name);
  slot.asked += 1;
  return { slot, number: slot.asked };
}

/** INVARIANT: between the old policy and the new one there is no moment without any. */
function install({ slot, number }: Request, settings: Settings, manager: PolicyManager): PolicyManager {
  if (slot.effective > number) {
    void manager.close();
    return manager;
  }
  const before = slot.enforcer;
  slot.effective = number;
  slot.enforcer = manager;
  if (before instanceof PolicyManager) void before.close();
  // Why there is no policy yet is told by the source.
  if (manager.plan !== undefined) settings.notice?.(startNotice(settings, manager));
  return manager;
}

function startNotice({ instance, hidden }: Settings, { policy }: PolicyManager): string {
  const where = instance === DEFAULT_INSTANCE ? "" : ` for the instance ${JSON.stringify(instance)}`;
  const rivals = hidden.length === 0 ? "" : `; it hides ${hidden.join(", ")}`;
  return `the policy ${JSON.stringify(policy.name)} (${policy.version}) from ${policy.source} is in force${where}${rivals}`;
}
