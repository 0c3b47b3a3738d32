// The demo behind `npm start`: an agent is talked into leaking customer data, first without and then with a policy in
// front of its tools; then recorded attacks are replayed. No model and no network beyond this machine.
import { configureRbac, shutdownRbac } from "d2-sdk";
import { reportReplay } from "../agentdojo/report-replay.js";
import { listenOutside } from "./outside.js";
import { paint } from "./paint.js";
import { printGuarded, printTask, printUnguarded } from "./print.js";
import { runAgent } from "./run.js";

if (process.argv[2] === "tour") {
  await import("../cloud-tour/main.js");
  process.exit();
}

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
  npm start -- tour                  the same agent in cloud mode, with a control plane of its own
  docs/ten-minutes.md                a policy written, tested, proved and shipped with \`d2\`
  examples/README.md                 small programs, one for each idea: npm run example -- NAME`);
