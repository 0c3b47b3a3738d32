import { ConfigurationError } from "d2-core/call";
import type { DecisionSink } from "./sink.js";

/** To be written: opens the files of a decision log. */
export function openFileSink(_options: object): DecisionSink {
  throw new ConfigurationError("decision logs in files are not part of this version: give `decisionLog.sink`");
}
