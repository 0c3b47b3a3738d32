// Replays the log in a file of JSON, `{ log, policies }`, and prints the result. Usage: node replay-file.mjs FILE
import { readFileSync } from "node:fs";
import { replayHere } from "./replay-here.mjs";

const { log, policies } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
process.stdout.write(await replayHere(log, policies));
