/** Does something `times` times, and gives something that depends on all of it, so that none of it can be left out. */
export type Loop = (times: number) => unknown;

/** The same for something that has to be waited for. */
export type AsyncLoop = (times: number) => Promise<unknown>;

export interface TimingOptions {
  /** How long one batch should take, in milliseconds. Default 4. */
  readonly batch?: number;
  /** How often each loop is timed. Default 61. */
  readonly rounds?: number;
  /** How long each loop runs before it is timed, in milliseconds. Default 150. */
  readonly warmUp?: number;
}

/** What the loops gave last. Kept where the compiler cannot see that nobody reads it. */
export const results: unknown[] = [];

/**
 * Times loops side by side: all are warmed up first, then one batch of each is run in turn, so that whatever disturbs
 * the machine disturbs all of them.
 *
 * @returns for each loop, in nanoseconds for one time, what a quarter of its batches stayed below: the median of a
 * machine that nothing disturbs, and close to it on one that is busy half of the time
 */
export function timeSideBySide<Name extends string>(
  loops: { readonly [N in Name]: Loop },
  options: TimingOptions = {},
): { readonly [N in Name]: number } {
  const { batch = 4, rounds = 61, warmUp = 150 } = options;
  const runs = runsOf<Loop>(loops);
  // Twice, because the first loop to be warmed up meets code that later ones make the compiler throw away.
  for (let pass = 0; pass < 2; pass += 1) {
    for (const run of runs) {
      const end = performance.now() + warmUp;
      while (performance.now() < end) {
        const begin = performance.now();
        results[0] = run.loop(run.times);
        run.times = adjusted(run.times, performance.now() - begin, batch);
      }
    }
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { loop, times, taken } of runs) {
      const begin = performance.now();
      results[0] = loop(times);
      taken.push(((performance.now() - begin) * 1e6) / times);
    }
  }
  return quartiles<Name>(runs);
}

/** `timeSideBySide` for loops that have to be waited for. */
export async function timeAsyncSideBySide<Name extends string>(
  loops: { readonly [N in Name]: AsyncLoop },
  options: TimingOptions = {},
): Promise<{ readonly [N in Name]: number }> {
  const { batch = 4, rounds = 61, warmUp = 150 } = options;
  const runs = runsOf<AsyncLoop>(loops);
  for (let pass = 0; pass < 2; pass += 1) {
    for (const run of runs) {
      const end = performance.now() + warmUp;
      while (performance.now() < end) {
        const begin = performance.now();
        results[0] = await run.loop(run.times);
        run.times = adjusted(run.times, performance.now() - begin, batch);
      }
    }
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { loop, times, taken } of runs) {
      const begin = performance.now();
      results[0] = await loop(times);
      taken.push(((performance.now() - begin) * 1e6) / times);
    }
  }
  return quartiles<Name>(runs);
}

interface Run<L> {
  readonly name: string;
  readonly loop: L;
  times: number;
  readonly taken: number[];
}

function runsOf<L>(loops: { readonly [name: string]: L }): Run<L>[] {
  return Object.entries(loops).map(([name, loop]) => ({ name, loop, times: 1, taken: [] }));
}

function quartiles<Name extends string>(runs: readonly Run<unknown>[]): { readonly [N in Name]: number } {
  const entries = runs.map(({ name, taken }) => [name, quantile(taken, 0.25)]);
  // The runs are those of the loops that were given, so every name is there.
  return Object.fromEntries(entries) as { readonly [N in Name]: number };
}

/** How many times make a batch, after one that took so many milliseconds. */
function adjusted(times: number, taken: number, batch: number): number {
  if (taken < batch / 8) return times * 2;
  return Math.max(1, Math.round((times * batch) / taken));
}

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

export function quantile(numbers: readonly number[], part: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}
