/** The moments at which a process ends: nothing is left to do, which may change again; and the very last. */
export type ProcessEnd = "beforeExit" | "exit";

/** What is still to be done then, in the order in which it was asked for. One listener for all, however many instances there are. */
const beforeExit = new Set<() => void>();
const exit = new Set<() => void>();

const doBeforeExit = (): void => doAll(beforeExit);
const doAtExit = (): void => doAll(exit);

/** Has work done when the process ends. @returns how to call it off */
export function atProcessEnd(moment: ProcessEnd, work: () => void): () => void {
  // A function of its own, so that the same work asked for twice is done twice.
  const entry = (): void => work();
  const [all, listener] = moment === "exit" ? [exit, doAtExit] : [beforeExit, doBeforeExit];
  if (all.size === 0) process.on(moment, listener);
  all.add(entry);
  return () => {
    if (all.delete(entry) && all.size === 0) process.off(moment, listener);
  };
}

function doAll(all: ReadonlySet<() => void>): void {
  for (const work of [...all]) {
    try {
      work();
    } catch {
      // Each reports its own faults; one that fails all the same must not cost the others their last words.
    }
  }
}
