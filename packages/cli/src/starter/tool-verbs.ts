/** What a tool does, as far as its name tells. */
export type ToolVerb = "read" | "write" | "destructive";

const READS: ReadonlySet<string> = new Set(
  (
    "get list read search find show fetch summarize summarise summary describe lookup look query count view browse " +
    "inspect check preview explain status head peek load retrieve select scan compare diff grep glob cat stat stats"
  ).split(" "),
);

const WRITES: ReadonlySet<string> = new Set(
  (
    "write create update set put post patch insert upsert add append send edit modify replace save store upload " +
    "publish move copy rename import apply assign approve merge commit push invite notify email"
  ).split(" "),
);

const DESTRUCTIVE: ReadonlySet<string> = new Set(
  (
    "delete del drop remove destroy purge transfer pay payout payment truncate wipe erase clear reset revoke refund " +
    "charge withdraw kill terminate shutdown uninstall cancel ban suspend deactivate disable overwrite rollback " +
    "exec execute eval sudo shell bash rm rmdir unlink format"
  ).split(" "),
);

/** Told from the words of the last part of a tool id: `users.list_all` reads, `files.findAndDelete` destroys. */
export function verbOf(toolId: string): ToolVerb {
  const words = wordsOf(lastPart(toolId));
  if (words.some((word) => DESTRUCTIVE.has(word))) return "destructive";
  if (words.some((word) => WRITES.has(word))) return "write";
  const [first] = words;
  return first !== undefined && (READS.has(first) || READS.has(words.at(-1) ?? "")) ? "read" : "write";
}

/** What stands before the first `.`, `:` or `/`; the whole where there is none. */
export function firstPart(toolId: string): string {
  return toolId.split(/[.:/]/)[0] ?? toolId;
}

function lastPart(toolId: string): string {
  return toolId.split(/[.:/]/).findLast((part) => part !== "") ?? toolId;
}

function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "")
    .map((word) => word.toLowerCase());
}
