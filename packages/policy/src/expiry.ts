import type { PolicyValue } from "d2-core";

/**
 * The instant that `metadata.expires` names, in milliseconds since the epoch: RFC 3339 (a time without offset is UTC) or
 * a lone date, which is its midnight UTC. Digits beyond milliseconds are dropped, so that a policy never lasts longer.
 *
 * @returns `undefined` for everything else, also for days and times that do not exist.
 */
export function readExpiry(expires: PolicyValue): number | undefined {
  if (typeof expires !== "string") return undefined;
  const found = TIMESTAMP.exec(expires);
  if (found?.groups === undefined) return undefined;
  const part = (name: string) => Number(found.groups?.[name] ?? 0);
  const [year, month, day] = [part("year"), part("month"), part("day")];
  const [hour, minute, second] = [part("hour"), part("minute"), part("second")];
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined;
  if (hour > 23 || minute > 59 || second > 60 || part("offsetHour") > 23 || part("offsetMinute") > 59) {
    return undefined;
  }
  const fraction = Number((found.groups["fraction"] ?? "").padEnd(3, "0").slice(0, 3));
  const offset = (part("offsetHour") * 60 + part("offsetMinute")) * (found.groups["sign"] === "-" ? -1 : 1);
  const minutes = hour * 60 + minute - offset;
  // A leap second can only be the last one of a UTC day; it counts as the start of the next.
  if (second === 60 && ((minutes % 1440) + 1440) % 1440 !== 1439) return undefined;
  return midnight.getTime() + minutes * 60_000 + second * 1000 + (second === 60 ? 0 : fraction);
}

const TIMESTAMP =
  /^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})(?:[Tt ](?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})(?:\.(?<fraction>\d+))?(?:[Zz]|(?<sign>[+-])(?<offsetHour>\d{2}):(?<offsetMinute>\d{2}))?)?$/;
