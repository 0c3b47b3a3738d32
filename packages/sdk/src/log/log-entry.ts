import type { CallEnding, CallRecord, RecordWriter } from "d2-core";
import type { Session } from "d2-core/call";

/** What waits to be written. */
export type LogEntry =
  | { readonly kind: "decided"; readonly record: CallRecord }
  | { readonly kind: "ended"; readonly record: CallRecord; readonly ending: CallEnding }
  | { readonly kind: "session"; readonly session: Session }
  | { readonly kind: "lost"; readonly number: number; readonly count: number };

/** The lines of an entry. */
export function linesOf(entry: LogEntry, writer: RecordWriter): string {
  switch (entry.kind) {
    case "decided":
      return writer.decided(entry.record);
    case "ended":
      return writer.ended(entry.record, entry.ending);
    case "session":
      return writer.sessionEnd(entry.session);
    case "lost":
      return writer.lost(entry.number, entry.count);
  }
}
