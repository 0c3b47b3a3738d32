import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { startControlPlane } from "../cloud/control-plane.js";
import { residentBytes } from "../cloud/process-memory.js";
import type { Figure } from "../figure.js";

const MB = 1024 * 1024;
const APPS = 1000;
const AT_ONCE = 4;
/** What a server does of itself after a load is done by then. */
const QUIET = 2000;

/** 5 roles, some 4 kB. */
const POLICY = readFileSync(
  new URL("../../examples/policies/data-platform/policy.yaml", import.meta.url),
  "utf8",
);

export async function measure(): Promise<Figure[]> {
  const plane = await startControlPlane();
  try {
    await pause(QUIET);
    const idle = residentBytes(plane.pid);
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < APPS) {
        const app = `app-${next++}`;
        await plane.publish(app, POLICY.replace("name: data-platform", `name: ${app}`));
        const path = `/v1/policy/bundle?app_name=${app}`;
        await (await plane.ask(200, plane.tokens.developer, path)).arrayBuffer();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    await pause(QUIET);
    return [
      { what: "memory of an idle server (RSS)", unit: "bytes", value: idle, atMost: 120 * MB },
      {
        what: "after 1,000 apps were published and served (RSS)",
        unit: "bytes",
        value: residentBytes(plane.pid),
        atMost: 250 * MB,
      },
    ];
  } finally {
    await plane.stop();
  }
}
