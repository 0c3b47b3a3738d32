import { parameterNames } from "d2-core";
import { type Level, LogWriter } from "./log-writer.js";

export const SAMPLE_POLICY = `
metadata:
  name: sample
  data_flow:
    labels: { "db.read": [PII] }
    blocks: { PII: ["net.post"] }
policies:
  - role: analyst
    permissions:
      - db.read
      - net.post
      - net.get
      - tool: file.read
        conditions:
          input: { path: { startsWith: /tmp } }
      - tool: mail.list
        conditions:
          output: { secret: { action: redact, matches: "[0-9]+" }, ok: { ne: false } }
    sequence:
      - deny: [net.get, file.read]
        reason: no reading after the net
`;

/** A log with a bit of everything: names, releases, nested sessions and calls, denials by each layer. */
export function sampleLog(level: Level = "full", policy: string | object = SAMPLE_POLICY) {
  const writer = new LogWriter(policy, { level });
  const alice = writer.open("alice", ["analyst"]);
  const first = writer.start(alice, "file.read", [{ path: "/tmp/a" }]);
  if (first !== undefined) writer.end(first, { returned: "text" });
  const denied = writer.lines.length;
  writer.start(alice, "file.read", [{ path: "/etc/passwd" }]);
  const mail = writer.start(alice, "mail.list", ["inbox", 5], { names: parameterNames(["box", "...rest"]) });
  const bob = writer.open("bob", ["analyst"], alice);
  const inner = writer.start(bob, "db.read", [], { within: mail });
  if (inner !== undefined) writer.end(inner, { returned: [1, 2.5] });
  writer.start(bob, "net.post", [{ url: "x" }], { within: mail });
  if (mail !== undefined) writer.end(mail, { returned: { secret: "pin 1234", ok: true } });
  writer.start(alice, "net.post");
  writer.close(bob);
  writer.start(alice, "net.post");
  const refused = writer.start(alice, "mail.list");
  if (refused !== undefined) writer.end(refused, { returned: { ok: false } });
  const carol = writer.open("carol", ["analyst"], alice, true);
  const failed = writer.start(carol, "net.get", [undefined, null, -0]);
  if (failed !== undefined) writer.end(failed, { threw: new Error("secret") });
  writer.start(carol, "file.read", [{ path: "/tmp/b" }]);
  writer.start(alice, "no.such");
  writer.startWithoutUser("net.get", []);
  const running = writer.start(alice, "net.get");
  writer.close(carol);
  writer.close(alice);
  return { writer, at: { denied }, running };
}
