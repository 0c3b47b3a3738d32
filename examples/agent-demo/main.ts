// The demo behind `npm start`: an agent is talked into leaking customer data, first without and then with a policy in
// front of its tools; then recorded attacks are replayed. No model and no network beyond this machine.
import { configureRbac, shutdownRbac } from "d2-sdk";
import { reportReplay } from "../agentdojo/report-replay.js";
import { listenOutside } from "./outside.js";
import { paint } from "./paint.js";
import { printGuarded, printTask, printUnguarded } from "./print.js";
import { runAgent } from "./run.js";

const outside = await listenOutside();
try {
  printTask(outside.url);
  printUnguarded(await runAgent(outside, false));

  const quiet = () => undefined;
  const { policy } = await configureRbac({
    policyFile: new URL("policy.yaml", import.meta.url),
    logger: { debug: quiet, info: quiet, warn: console.warn, error: console.error },
  });
  printGuarded(await runAgent(outside, true), policy);
  await shutdownRbac();

  await reportReplay();
} finally {
  await outside.close();
}

console.log(`
${paint("bold", "Where to go from here")}
  README.md                          what this is, and the ten lines to begin with
  docs/policy.md                     everything a policy can say
  examples/agent-demo/policy.yaml    the policy of this demo, commented
  examples/agentdojo/                the replayed policies, and what they do not stop
  examples/README.md                 small programs, one for each idea: npm run example -- NAME`);
