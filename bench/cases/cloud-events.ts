import { BatchLoad, batchBody } from "../cloud/batch-load.js";
import { type ControlPlane, startControlPlane } from "../cloud/control-plane.js";
import { startPostgres } from "../cloud/postgres.js";
import type { Figure } from "../figure.js";

const BATCH = 500;
const AT_ONCE = 8;
const WARM_UP = 2500;
const MEASURED = 6000;

/** Events a second of one server process. @throws Error when the server has not stored what it has accepted */
async function accepted(plane: ControlPlane): Promise<number> {
  const bodies = Array.from({ length: 16 }, (_, salt) => batchBody(BATCH, salt));
  const { url, tokens } = plane;
  const load = new BatchLoad({ url, token: tokens.runtime, bodies, atOnce: AT_ONCE });
  const first = await load.run(WARM_UP);
  const { batches, milliseconds } = await load.run(MEASURED);
  load.close();
  const answer = await plane.ask(200, tokens.developer, "/v1/events/rollups");
  // What the roll-ups count is counted in the same transaction that stores the events.
  const { rollups } = (await answer.json()) as { readonly rollups: readonly { readonly count: number }[] };
  const stored = rollups.reduce((sum, { count }) => sum + count, 0);
  const sent = (first.batches + batches) * BATCH;
  if (stored !== sent) throw new Error(`${sent} events were accepted, ${stored} are stored`);
  return (batches * BATCH * 1000) / milliseconds;
}

async function onSqlite(): Promise<Figure> {
  const plane = await startControlPlane();
  try {
    return {
      what: "events accepted and stored, batches of 500, SQLite",
      unit: "a second",
      value: await accepted(plane),
      atLeast: 20_000,
    };
  } finally {
    await plane.stop();
  }
}

async function onPostgres(): Promise<Figure> {
  const figure = { unit: "a second", atLeast: 40_000 } as const;
  let postgres: Awaited<ReturnType<typeof startPostgres>>;
  try {
    postgres = await startPostgres();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return { ...figure, what: "the same on PostgreSQL, which could not be started here", value: Number.NaN };
  }
  try {
    const plane = await startControlPlane({ databaseUrl: postgres.url });
    try {
      return {
        ...figure,
        what: "the same on PostgreSQL, on the same machine",
        value: await accepted(plane),
      };
    } finally {
      await plane.stop();
    }
  } finally {
    await postgres.stop();
  }
}

export async function measure(): Promise<Figure[]> {
  return [await onSqlite(), await onPostgres()];
}
