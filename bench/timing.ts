/** Does something `times` times, and gives something that depends on all of it, so that none of it can be left out. */
export type Loop = (times: number) => unknown;

/** The same for something that has to be waited for. */
export type AsyncLoop = (times: number) => Promise<unknown>;

export interface TimingOptions {
  /** How long one batch should take, in milliseconds. Default 4. */
  readonly batch?: number;
  /** How often each loop is timed. Default 41. */
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
 * @returns for each loop the median over its batches, in nanoseconds for one time
 */
export function timeSideBySide<Name extends string>(
  loops: { readonly [N in Name]: Loop },
  options: TimingOptions = {},
): { readonly [N in Name]: number } {
  const { batch = 4, rounds = 41, warmUp = 150 } = options;
  const entries = Object.entries<Loop>(loops).map(([name, loop]) => ({ name, loop, times: 0, taken: [0] }));
  // Twice, because the first loop to be warmed up meets code that later ones make the compiler throw away.
  for (let pass = 0; pass < 2; pass += 1) {
    for (const entry of entries) entry.times = batchSize(entry.loop, batch, warmUp);
  }
  for (const entry of entries) entry.taken.length = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const { loop, times, taken } of entries) {
      const begin = performance.now();
      results[0] = loop(times);
      taken.push(((performance.now() - begin) * 1e6) / times);
    }
  }
  // The entries are those of `loops`, so every name is there.
  return Object.fromEntries(entries.map(({ name, taken }) => [name, median(taken)])) as {
    readonly [N in Name]: number;
  };
}

/** `timeSideBySide` for loops that have to be waited for. */
export async function timeAsyncSideBySide<Name extends string>(
  loops: { readonly [N in Name]: AsyncLoop },
  options: TimingOptions = {},
): Promise<{ readonly [N in Name]: number }> {
  const { batch = 4, rounds = 41, warmUp = 150 } = options;
  const entries = Object.entries<AsyncLoop>(loops).map(([name, loop]) => ({
    name,
    loop,
    times: 16,
    taken: [0],
  }));
  for (let pass = 0; pass < 2; pass += 1) {
    for (const entry of entries) {
      const end = performance.now() + warmUp;
      while (performance.now() < end) {
        const begin = performance.now();
        results[0] = await entry.loop(entry.times);
        entry.times = adjusted(entry.times, performance.now() - begin, batch);
      }
    }
  }
  for (const entry of entries) entry.taken.length = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const { loop, times, taken } of entries) {
      const begin = performance.now();
      results[0] = await loop(times);
      taken.push(((performance.now() - begin) * 1e6) / times);
    }
  }
  // The entries are those of `loops`, so every name is there.
  return Object.fromEntries(entries.map(({ name, taken }) => [name, median(taken)])) as {
    readonly [N in Name]: number;
  };
}

/** Warms a loop up, and finds how many times make a batch. */
function batchSize(loop: Loop, batch: number, warmUp: number): number {
  let times = 1;
  const end = performance.now() + warmUp;
  while (performance.now() < end) {
    const begin = performance.now();
    results[0] = loop(times);
    times = adjusted(times, performance.now() - begin, batch);
  }
  return times;
}

function adjusted(times: number, taken: number, batch: number): number {
  if (taken < batch / 8) return times * 2;
  return Math.max(1, Math.round((times * batch) / taken));
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
