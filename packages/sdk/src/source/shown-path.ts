import { isAbsolute, relative, sep } from "node:path";

/** A path for people: relative to the folder where it is inside of that, else as it is. */
export function shownPath(path: string, folder: string): string {
  const inside = relative(folder, path);
  const outside = inside === "" || inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside);
  return outside ? path : inside;
}
