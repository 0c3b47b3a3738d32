import { loadPolicy } from "d2-policy";
import { type Diagnosis, diagnosePolicy, diagnosisText } from "d2-policy/diagnose";
import { diffPolicies, diffText, type PolicyDiff } from "d2-policy/diff";
import { type CompareResult, compareLog, compareText } from "d2-policy/log";
import { confirmed } from "../cloud/confirm.js";
import { ControlPlane } from "../cloud/control-plane.js";
import { accessOf } from "../cloud/credentials.js";
import { type DeviceKey, deviceKey } from "../cloud/device-key.js";
import { type LocalPolicy, localPolicy } from "../cloud/local-policy.js";
import { membersOf, wordOf } from "../cloud/members.js";
import { signatureHeaders } from "../cloud/publish-request.js";
import { type PublishedPolicy, publishedPolicy } from "../cloud/published.js";
import { type Options, type Run, textArgument, textOption } from "../command.js";
import { ANSWER_IS_NO, OK } from "../exit-code.js";
import { keptPolicy, openLog } from "../log-file.js";
import { readPolicyFile } from "../policy-file.js";
import { Progress } from "../progress.js";
import type { Terminal } from "../terminal.js";

/** What is known before anything is sent. */
interface Rehearsal {
  readonly diagnosis: Diagnosis;
  /** Absent where nothing is live. */
  readonly diff: PolicyDiff | undefined;
  readonly replay: CompareResult | undefined;
}

export const runPublish: Run = async (args, options, terminal) => {
  const file = textArgument(args, 0);
  const named = file === "" ? undefined : file;
  const read = await readPolicyFile(terminal, named);
  const diagnosis = diagnosePolicy(read.text, { file: read.file, format: read.format, now: terminal.now() });
  const json = options["json"] === true;
  if (!diagnosis.ok) {
    // Never without validation, whatever is forced.
    if (json) terminal.printJson("publish", { published: null, diagnosis });
    else
      terminal.print(
        `${diagnosisText(diagnosis, { text: read.text, marks: terminal.marks, color: terminal.coloured }).trimEnd()}\n`,
      );
    return ANSWER_IS_NO;
  }
  const local = localPolicy(read, textOption(options, "appName"));
  const plane = new ControlPlane(accessOf(terminal, options));
  const live = await publishedPolicy(plane, local.app, terminal);
  const rehearsal = {
    diagnosis,
    diff: difference(live, local),
    replay: await replay(local, options, terminal),
  };
  if (options["dryRun"] === true) {
    if (json) terminal.printJson("publish", { published: null, app: local.app, ...rehearsal });
    else terminal.print(rehearsalText(rehearsal, local, options, terminal));
    return OK;
  }
  if (!json) terminal.print(rehearsalText(rehearsal, local, options, terminal));
  const question = `publish ${local.file} as the policy of \`${local.app}\`?`;
  if (!(await confirmed(question, options, terminal))) return ANSWER_IS_NO;
  const published = await publish(plane, local, options, live, terminal);
  if (json) terminal.printJson("publish", { published, app: local.app, ...rehearsal });
  else terminal.print(`version ${wordOf(published["version"])} of \`${local.app}\` is live\n`);
  return OK;
};

async function publish(
  plane: ControlPlane,
  local: LocalPolicy,
  options: Options,
  live: PublishedPolicy | undefined,
  terminal: Terminal,
): Promise<Readonly<Record<string, unknown>>> {
  const key = deviceKey(terminal);
  await register(plane, key);
  // INVARIANT: what is sent is the very text that was validated and compared, whatever has become of the file.
  const content = Buffer.from(local.text);
  const expectedVersion = options["force"] === true ? undefined : await liveVersion(plane, local.app, live);
  const { body } = await plane.ask({
    method: "POST",
    path: "/v1/policy/publish",
    query: { app_name: local.app },
    headers: signatureHeaders({ app: local.app, content, expectedVersion, now: terminal.now() }, key),
    body: content,
  });
  return membersOf(body);
}

/** The version that a newer one takes the place of; a revoked app has one too. */
async function liveVersion(
  plane: ControlPlane,
  app: string,
  live: PublishedPolicy | undefined,
): Promise<number> {
  if (live !== undefined) return live.bundle.version;
  const { status, body } = await plane.ask({
    path: "/v1/policy/versions",
    query: { app_name: app, limit: 1 },
    accept: [404],
  });
  const current = membersOf(body)["current_version"];
  return status === 200 && typeof current === "number" ? current : 0;
}

/** A key that is known already is as good. */
async function register(plane: ControlPlane, { keyId, publicKey }: DeviceKey): Promise<void> {
  await plane.ask({
    method: "POST",
    path: "/v1/keys",
    body: { key_id: keyId, public_key: publicKey },
    accept: [409],
  });
}

function difference(live: PublishedPolicy | undefined, local: LocalPolicy): PolicyDiff | undefined {
  if (live === undefined) return undefined;
  const limits = { maxTools: Number.MAX_SAFE_INTEGER };
  const before = loadPolicy(live.bundle.content, { now: Number.NEGATIVE_INFINITY, limits });
  return diffPolicies(before, local.policy, { locateAfter: local.locate });
}

/** What the policy would have changed in a decision log. */
async function replay(
  { policy }: LocalPolicy,
  options: Options,
  terminal: Terminal,
): Promise<CompareResult | undefined> {
  const named = textOption(options, "log");
  if (named === undefined) return undefined;
  const { source, files } = openLog(terminal, named);
  const progress = new Progress(terminal);
  const result = await compareLog(source(), {
    against: policy,
    policies: (digest) => (files === undefined ? undefined : keptPolicy(files, digest)),
    maxExamples: 5,
    progressEvery: 5_000,
    onProgress: ({ events }) => progress.show(`replayed ${events} events`),
  });
  progress.done();
  return result;
}

function rehearsalText(
  { diagnosis, diff, replay: compared }: Rehearsal,
  { file, text, app }: LocalPolicy,
  options: Options,
  terminal: Terminal,
): string {
  const { marks, coloured: color } = terminal;
  const parts =
    diagnosis.warnings > 0 ? [diagnosisText(diagnosis, { text, marks, color })] : [`${file} has no faults`];
  parts.push(
    diff === undefined
      ? `nothing is live for \`${app}\`: everything is denied so far`
      : diffText(diff, marks, { beforeFile: "live", afterFile: file }),
  );
  if (compared !== undefined) {
    parts.push(compareText(compared, { file: textOption(options, "log") ?? "", marks }));
  }
  return `${parts.map((part) => part.trimEnd()).join("\n\n")}\n`;
}
