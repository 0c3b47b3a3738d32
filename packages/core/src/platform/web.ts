/**
 * Always false: outside Node no program can tell a `Proxy` from the object behind it. What relies on this test must
 * therefore copy a value once and use nothing but the copy.
 */
export function isProxy(_value: unknown): boolean {
  return false;
}
