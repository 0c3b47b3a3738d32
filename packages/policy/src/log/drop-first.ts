/** Drops the entry of a map that was put in first. */
export function dropFirst(map: Map<unknown, unknown>): void {
  for (const first of map.keys()) {
    map.delete(first);
    return;
  }
}
