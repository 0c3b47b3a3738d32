import { fileURLToPath } from "node:url";
import { startControlPlane } from "../cloud/control-plane.js";
import { conditions, stayOn } from "../cloud/cores.js";
import { KeepAliveLoad } from "../cloud/keep-alive-load.js";
import { processorTime } from "../cloud/processor-time.js";
import { startProgram } from "../cloud/program.js";
import type { Figure } from "../figure.js";
import { median, quantile } from "../timing.js";

const BARE = fileURLToPath(new URL("../cloud/bare-server.js", import.meta.url));

const PATH = "/v1/policy/bundle";
const CONNECTIONS = 32;
const ROUNDS = 11;
const ROUND = 700;

const POLICY =
  "metadata:\n  name: bench\npolicies:\n  - role: clerk\n    permissions: [orders.read, orders.list]\n";

export async function measure(): Promise<Figure[]> {
  const plane = await startControlPlane({ core: 0 });
  try {
    await plane.publish("bench", POLICY);
    const { runtime } = plane.tokens;
    const etag = (await plane.ask(200, runtime, PATH)).headers.get("etag") ?? "";
    const bare = startProgram(BARE, [etag], { core: 0 });
    stayOn(1);
    // What the SDK sends, and to both the same.
    const headers = {
      Authorization: `Bearer ${runtime}`,
      "If-None-Match": etag,
      "X-Request-Id": "0f8fad5b-d9cb-469f-a165-70867728950e",
      Accept: "application/json",
    };
    const ours = await KeepAliveLoad.open(plane.url, PATH, headers, CONNECTIONS);
    const peer = await KeepAliveLoad.open(await bare.printed(/"url":"([^"]+)"/), PATH, headers, CONNECTIONS);
    for (const load of [ours, peer, ours, peer]) await load.run(1500);
    const before = { ours: processorTime(plane.pid), peer: processorTime(bare.pid) };
    const rounds: { ours: number; peer: number }[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      rounds.push({ ours: await ours.run(ROUND), peer: await peer.run(ROUND) });
    }
    const answers = (of: readonly number[]): number => of.reduce((sum, it) => sum + it, 0) * (ROUND / 1000);
    const each = (pid: number, begun: number | undefined, count: number): number =>
      ((processorTime(pid) ?? Number.NaN) - (begun ?? Number.NaN)) / count;
    const oursEach = each(plane.pid, before.ours, answers(rounds.map((it) => it.ours)));
    const peerEach = each(bare.pid, before.peer, answers(rounds.map((it) => it.peer)));
    ours.close();
    peer.close();
    await bare.stop();
    // Whatever else the machine does only makes a round slower.
    const best = (of: readonly number[]) => quantile(of, 0.75);
    return [
      {
        what: `304 bundle answers, beside a bare \`node:http\` (${conditions})`,
        unit: "x",
        value: median(rounds.map((round) => round.ours / round.peer)),
        atLeast: 0.6,
      },
      // On a machine that is busy with other things this one says more.
      { what: "the same by the processor time of an answer", unit: "x", value: peerEach / oursEach },
      {
        what: "such answers of one server process",
        unit: "a second",
        value: best(rounds.map((it) => it.ours)),
      },
      { what: "of the bare one", unit: "a second", value: best(rounds.map((it) => it.peer)) },
    ];
  } finally {
    await plane.stop();
  }
}
