export type { ChainPosition } from "d2-core";
export { type FileSinkOptions, openFileSink } from "./log/file-sink.js";
export type { DecisionLogOptions } from "./log/log-options.js";
export type { DecisionLogState, WhenFull } from "./log/log-settings.js";
export { MemorySink } from "./log/memory-sink.js";
export type { DecisionSink } from "./log/sink.js";
