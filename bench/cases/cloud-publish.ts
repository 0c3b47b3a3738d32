import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startControlPlane } from "../cloud/control-plane.js";
import { type Program, startProgram } from "../cloud/program.js";
import { type AppsMessage, POLICY_ROLE } from "../cloud/publish-messages.js";
import type { Figure } from "../figure.js";
import { quantile } from "../timing.js";

const APPS = fileURLToPath(new URL("../cloud/polling-apps.js", import.meta.url));

const PROCESSES = 4;
const INSTANCES = 50;
const PUBLICATIONS = 10;

const toolOf = (version: number): string => `task_${version}`;

const policyOf = (version: number): string =>
  `metadata:\n  name: bench\npolicies:\n  - role: ${POLICY_ROLE}\n    permissions: [${toolOf(version)}]\n`;

/** The next message of the kind. */
function heard<Kind extends AppsMessage["kind"]>(
  { child }: Program,
  kind: Kind,
): Promise<Extract<AppsMessage, { readonly kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const listen = (message: AppsMessage): void => {
      if (message.kind !== kind) return;
      child.off("message", listen).off("close", fail);
      // Holds: it is of that kind.
      resolve(message as Extract<AppsMessage, { readonly kind: Kind }>);
    };
    const fail = (): void => reject(new Error("a process of apps ended too soon"));
    child.on("message", listen).once("close", fail);
  });
}

export async function measure(): Promise<Figure[]> {
  const plane = await startControlPlane({ environment: { D2_SERVER_POLL_SECONDS: "1" } });
  const apps: Program[] = [];
  try {
    await plane.publish("bench", policyOf(0));
    const environment = {
      D2_TOKEN: plane.tokens.runtime,
      D2_API_URL: plane.url,
      // Apps of one token have a file together, each machine its own: here they would write one another's.
      D2_STATE_PATH: ":memory:",
    };
    for (let n = 0; n < PROCESSES; n += 1) {
      apps.push(startProgram(APPS, [String(INSTANCES)], { environment, messages: true }));
    }
    await Promise.all(apps.map((app) => heard(app, "ready")));
    const waits: number[] = [];
    for (let version = 1; version <= PUBLICATIONS; version += 1) {
      // So that it falls anywhere between two polls.
      await pause(500 + Math.random() * 1000);
      const waiting = apps.map((app) => heard(app, "waiting"));
      const enforced = apps.map((app) => heard(app, "enforced"));
      for (const { child } of apps) child.send({ tool: toolOf(version) });
      await Promise.all(waiting);
      const begun = performance.timeOrigin + performance.now();
      await plane.publish("bench", policyOf(version));
      for (const { times } of await Promise.all(enforced)) waits.push(...times.map((at) => at - begun));
    }
    return [
      {
        what: "publish to enforced in 200 SDK instances that poll at 1 s, p99",
        unit: "ms",
        value: quantile(waits, 0.99),
        atMost: 2500,
      },
      { what: "the same, median", unit: "ms", value: quantile(waits, 0.5) },
      { what: "the last of them", unit: "ms", value: quantile(waits, 1) },
    ];
  } finally {
    await Promise.all(apps.map((app) => app.stop()));
    await plane.stop();
  }
}
