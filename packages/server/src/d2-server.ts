#!/usr/bin/env node
import { runCommand } from "./commands/run-command.js";

process.exitCode = await runCommand(process.argv.slice(2), {
  environment: process.env,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  onStop: (stop) => {
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
  },
});
