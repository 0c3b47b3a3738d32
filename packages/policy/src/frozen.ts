/** Freezes what was made here, and what is inside. What is frozen already is so all the way. */
export function frozen<T>(made: T): T {
  if (typeof made !== "object" || made === null || Object.isFrozen(made)) return made;
  for (const inside of Object.values(made)) frozen(inside);
  return Object.freeze(made);
}
