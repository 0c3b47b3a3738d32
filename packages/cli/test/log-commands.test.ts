import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configureRbac, d2Guard, runAs, shutdownRbac } from "d2-sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { d2 } from "./run-d2.js";

const POLICY = `metadata: { name: refunds }
policies:
  - role: clerk
    permissions:
      - tool: refund
        conditions: { input: { amount: { required: true, max: 100 } } }
`;
const CALLS = 40;

let cwd: string;
/** Segments are small, so that the log is rotated. */
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), "d2-log-"));
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const pem = (key: typeof privateKey, type: "pkcs8" | "spki") =>
    String(key.export({ type, format: "pem" } as never));
  writeFileSync(join(cwd, "audit.pub.pem"), pem(publicKey, "spki"));
  writeFileSync(join(cwd, "other.pub.pem"), pem(generateKeyPairSync("ed25519").publicKey, "spki"));
  writeFileSync(join(cwd, "next.yaml"), POLICY.replace("100", "50"));
  writeFileSync(join(cwd, "same.yaml"), `# the same in other words\n${POLICY}`);
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  await configureRbac({
    policy: POLICY,
    instance: "log-commands",
    logger: silent,
    decisionLog: {
      path: join(cwd, "audit.jsonl"),
      level: "full",
      sync: true,
      rotate: { bytes: 65_536 },
      sign: { key: pem(privateKey, "pkcs8"), everyLines: 10 },
    },
  });
  const refund = d2Guard("refund", { instance: "log-commands" }, ({ amount }: { amount: number }) => amount);
  for (let call = 0; call < CALLS; call += 1) {
    runAs("clara", { roles: ["clerk"] }, () => {
      try {
        refund({ amount: call * 4 });
      } catch {
        // above the limit
      }
    });
  }
  await shutdownRbac("log-commands");
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const run = (...args: string[]) => d2(args, { cwd });

describe("d2 verify", () => {
  it("reads the rotated files before the current one, and the heads beside them", async () => {
    const { code, stdout } = await run("verify", "audit.jsonl", "--key", "audit.pub.pem");
    expect(stdout).toContain("audit.jsonl: whole");
    expect(stdout).toContain(`${CALLS} calls, 26 allowed, 14 denied`);
    expect(stdout).toMatch(/signed heads vouch for the first \d+ of \d+ lines; \d+ signatures? verified/);
    expect(code).toBe(0);
  });

  it("ends with 1 for another key, and for a log without its first file", async () => {
    expect((await run("verify", "audit.jsonl", "--key", "other.pub.pem")).stdout).toContain("bad_signature");
    const current = readFileSync(join(cwd, "audit.jsonl"), "utf8");
    const { code, stdout } = await d2(["verify", "-", "--json"], { cwd, input: current });
    expect(code).toBe(1);
    const { format, ok, totals } = JSON.parse(stdout);
    expect(format).toBe("d2.verify");
    expect(ok).toBe(false);
    expect(Object.keys(totals)).toContain("wrong_chain");
  });

  it("ends with 1 for a changed line, and says which", async () => {
    const all = readFileSync(join(cwd, "audit.jsonl"), "utf8");
    writeFileSync(join(cwd, "changed.jsonl"), all.replace('"clara"', '"eve"'));
    const { code, stdout } = await run("verify", "changed.jsonl");
    expect(code).toBe(1);
    expect(stdout).toMatch(/wrong_digest line \d+/);
  });

  it.each([
    [["verify", "absent.jsonl"], "there is no decision log `absent.jsonl`"],
    [["verify", "audit.jsonl", "--key", "next.yaml"], "holds no public key"],
    [["verify", "audit.jsonl", "--head", "next.yaml"], "is no signed head"],
  ])("refuses %j with 2", async (args, words) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });
});

describe("d2 replay", () => {
  it("takes every decision again with the policies kept beside the log", async () => {
    const { code, stdout } = await run("replay", "audit.jsonl");
    expect(stdout).toMatch(/\d+ decisions taken again and the same to the byte/);
    expect(stdout).not.toContain("cannot be taken again");
    expect(code).toBe(0);
  });

  it("says what another policy would change, in groups and with examples, and ends with 1", async () => {
    const { code, stdout } = await run("replay", "audit.jsonl", "--against", "next.yaml", "--examples", "2");
    expect(stdout).toContain("13 from allow to deny");
    expect(stdout).toContain("ok -> input_validation");
    expect(stdout).toContain("the first 2");
    expect(code).toBe(1);
  });

  it("ends with 0 when nothing would change", async () => {
    const { code, stdout } = await run("replay", "audit.jsonl", "--against", "same.yaml", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      format: "d2.replay",
      version: 1,
      comparison: { changes: { total: 0 } },
    });
    expect(code).toBe(0);
  });

  it("takes a policy that is given where none is kept", async () => {
    const all = readFileSync(join(cwd, "audit.jsonl"), "utf8");
    const elsewhere = mkdtempSync(join(tmpdir(), "d2-moved-"));
    try {
      writeFileSync(join(elsewhere, "policy.yaml"), POLICY);
      const without = JSON.parse(
        (await d2(["replay", "-", "--json"], { cwd: elsewhere, input: all })).stdout,
      );
      expect(without.replay.causes).toHaveProperty("policy_missing");
      const args = ["replay", "-", "--policy", "policy.yaml", "--json"];
      const given = JSON.parse((await d2(args, { cwd: elsewhere, input: all })).stdout);
      expect(given.replay.causes).not.toHaveProperty("policy_missing");
    } finally {
      rmSync(elsewhere, { recursive: true, force: true });
    }
  });

  it("shows no recorded argument", async () => {
    const { stdout } = await run("replay", "audit.jsonl", "--against", "next.yaml", "--json");
    expect(stdout).not.toContain('amount":');
  });
});
