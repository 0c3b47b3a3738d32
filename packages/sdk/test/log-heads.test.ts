import { createHash, generateKeyPairSync, verify } from "node:crypto";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { canonicalJson } from "d2-core";
import { describe, expect, it, vi } from "vitest";
import type { SignedHead } from "../src/log/signed-heads.js";
import { nodeFiles } from "../src/setup/node-files.js";
import { SILENT } from "./enforce.js";
import { logFolder, write } from "./log-stream.js";

const { path, open, chainLength } = logFolder();
const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const key = String(privateKey.export({ type: "pkcs8", format: "pem" }));
const heads = (): SignedHead[] =>
  readFileSync(path("app.heads.jsonl"), "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
const indexes = (): number[] => heads().map(({ index }) => index);

describe("signed heads", () => {
  it("say how far the log has come, every so many lines and at the end", () => {
    const sink = open({ sign: { key, everyLines: 10 }, clock: () => 5 });
    for (let n = 0; n < 25; n++) write(sink);
    void sink.close();
    expect(indexes()).toEqual([9, 19, 24]);
    const der = publicKey.export({ type: "spki", format: "der" });
    for (const { index, key_id, stream, time, v, signature } of heads()) {
      const message = Buffer.from(canonicalJson({ index, stream, time, v }));
      const signed = Buffer.from(signature, "base64url");
      expect(verify(null, message, publicKey, signed)).toBe(true);
      expect(verify(null, Buffer.from(`${message} `), publicKey, signed)).toBe(false);
      expect([stream, time]).toEqual(["app", 5]);
      expect(key_id).toBe(createHash("sha256").update(der).digest("hex").slice(0, 16));
    }
    expect(heads().at(-1)?.v).toBe(sink.position.v);
  });

  it("are canonical JSON, a line each", () => {
    const sink = open({ sign: { key: privateKey } });
    write(sink);
    void sink.close();
    const [head] = heads();
    expect(readFileSync(path("app.heads.jsonl"), "utf8")).toBe(`${canonicalJson({ ...head })}\n`);
  });

  it("are signed after so many seconds too, and when the clock has gone back", () => {
    let now = 0;
    const sink = open({ sign: { key, everySeconds: 10 }, clock: () => now });
    for (const time of [0, 9_999, 10_000, 10_001, -5, -4]) {
      now = time;
      write(sink);
    }
    expect(heads().map(({ index, time }) => [index, time])).toEqual([
      [2, 10_000],
      [4, -5],
    ]);
    void sink.close();
  });

  it("need no clock that tells the time", () => {
    const sink = open({ sign: { key, everyLines: 1 }, clock: () => Number.NaN });
    write(sink);
    void sink.close();
    expect(heads().map(({ time }) => time)).toEqual([0]);
  });

  it("are signed only when the lines are on the disk, for they must not outlive them", () => {
    const sink = open({ sign: { key, everyLines: 1 } });
    const spy = vi.spyOn(nodeFiles(), "fdatasyncSync").mockImplementation(() => {
      throw Object.assign(new Error("refused"), { code: "EIO" });
    });
    try {
      write(sink);
    } finally {
      spy.mockRestore();
    }
    expect(sink.position.index).toBe(1);
    expect(readdirSync(path())).not.toContain("app.heads.jsonl");
    write(sink);
    expect(indexes()).toEqual([1]);
    void sink.close();
  });

  it("cover what a crash has left unsigned, and sign nothing twice", () => {
    const sink = open();
    write(sink, 3);
    void sink.close();
    void open({ sign: { key } }).close();
    void open({ sign: { key } }).close();
    expect(indexes()).toEqual([2]);
  });

  it("take the place of part of a head that a crash has left", () => {
    const options = { sign: { key, everyLines: 1 } };
    const sink = open(options);
    write(sink);
    void sink.close();
    appendFileSync(path("app.heads.jsonl"), '{"index":1,"key');
    const again = open(options);
    write(again);
    void again.close();
    expect(indexes()).toEqual([0, 1]);
  });

  it("that cannot be written hold up no line, are told of once, and come later", () => {
    mkdirSync(path("app.heads.jsonl"));
    const warnings: string[] = [];
    const logger = { ...SILENT, warn: (message: string) => warnings.push(message) };
    const sink = open({ sign: { key, everyLines: 1 }, logger });
    for (let n = 0; n < 3; n++) write(sink);
    expect(chainLength()).toBe(3);
    expect(warnings).toEqual([expect.stringMatching(/`app` could not be signed \(EISDIR\)/)]);
    rmdirSync(path("app.heads.jsonl"));
    write(sink);
    expect(indexes()).toEqual([3]);
    void sink.close();
  });

  const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
  it.each([
    "",
    "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----",
    String(publicKey.export({ type: "spki", format: "pem" })),
    publicKey,
    rsa,
  ])("need a key that signs, nothing of which is told", (wrong) => {
    expect(() => open({ sign: { key: wrong } })).toThrow(/must be an Ed25519 private key in PEM \(PKCS 8\)$/);
    expect(readdirSync(path())).toEqual([]);
  });
});
