import { existsSync, readFileSync } from "node:fs";

/** Of Linux, where programs see hundredths of a second. */
const TICK = 10;

/** Milliseconds that a process has kept processors busy; undefined where the system does not tell. */
export function processorTime(pid: number): number | undefined {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, "utf8");
  // The fields after the name, which may itself hold spaces.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}
