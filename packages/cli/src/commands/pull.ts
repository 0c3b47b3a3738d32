import { writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { appOf } from "../cloud/app-name.js";
import { CloudError } from "../cloud/cloud-error.js";
import { ControlPlane } from "../cloud/control-plane.js";
import { accessOf } from "../cloud/credentials.js";
import { membersOf } from "../cloud/members.js";
import { publishedPolicy } from "../cloud/published.js";
import { type Options, type Run, textOption } from "../command.js";
import { OK } from "../exit-code.js";
import type { Terminal } from "../terminal.js";
import { UsageError } from "../usage-error.js";
import { occupied } from "./init.js";

export const runPull: Run = async (_args, options, terminal) => {
  const plane = new ControlPlane(accessOf(terminal, options));
  const app = await appOf(plane, terminal, options);
  const output = textOption(options, "output");
  const json = textOption(options, "format") === "json" || /\.json$/i.test(output ?? "");
  const draft = textOption(options, "stage") === "draft";
  const pulled = draft ? await pullDraft(plane, app, json) : await pullPublished(plane, app, json, terminal);
  if (output === undefined) {
    if (options["json"] === true) terminal.printJson("pull", pulled);
    else terminal.print(pulled.text);
    return OK;
  }
  write(output, pulled.text, options, terminal);
  const facts = { app: pulled.app, stage: pulled.stage, at: pulled.at, verified: pulled.verified, output };
  if (options["json"] === true) terminal.printJson("pull", facts);
  else {
    const how = draft ? "a draft, which nobody has signed" : "its signature holds";
    terminal.print(`wrote ${output}: version ${pulled.at} of \`${pulled.app}\`, ${how}\n`);
  }
  return OK;
};

interface Pulled {
  readonly app: string;
  readonly stage: "published" | "draft";
  /** Version, or the one that a draft edits. */
  readonly at: number;
  readonly verified: boolean;
  readonly text: string;
}

async function pullPublished(
  plane: ControlPlane,
  app: string | undefined,
  json: boolean,
  terminal: Terminal,
): Promise<Pulled> {
  const published = await publishedPolicy(plane, app, terminal);
  if (published === undefined) {
    throw new CloudError("nothing is published for the app, or it is revoked: `d2 status` tells more", {
      code: "policy_not_found",
    });
  }
  const { content, version, audience } = published.bundle;
  const name = audience.split(":").at(-1) ?? "";
  return { app: name, stage: "published", at: version, verified: true, text: policyText(content, json) };
}

async function pullDraft(plane: ControlPlane, app: string | undefined, json: boolean): Promise<Pulled> {
  const { body } = await plane.ask({ path: "/v1/policy/bundle", query: { app_name: app, stage: "draft" } });
  const { bundle, version, text, format } = membersOf(body);
  // As it was written, comments and all, where that is the form that is asked for.
  const asWritten = typeof text === "string" && (format === "json") === json ? text : undefined;
  if (asWritten === undefined && (typeof bundle !== "object" || bundle === null)) {
    throw new CloudError("the draft cannot be read as a policy, so it can only be had as it was written", {
      code: "draft_unreadable",
    });
  }
  return {
    app: app ?? "",
    stage: "draft",
    at: typeof version === "number" ? version : 0,
    verified: false,
    text: asWritten ?? policyText(membersOf(bundle), json),
  };
}

function policyText(policy: object, json: boolean): string {
  return json ? `${JSON.stringify(policy, undefined, 2)}\n` : stringify(policy, { lineWidth: 110 });
}

function write(output: string, text: string, options: Options, terminal: Terminal): void {
  try {
    writeFileSync(terminal.path(output), text, { flag: options["force"] === true ? "w" : "wx" });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST")
      throw new UsageError(occupied(output));
    throw error;
  }
}
