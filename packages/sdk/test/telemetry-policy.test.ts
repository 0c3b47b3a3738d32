import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { configureRbac, getPolicyManager, shutdownAllRbac } from "../src/setup/configure.js";
import { instanceSlot } from "../src/setup/registry.js";
import { FakeControlPlane, signingPair, status, TOKEN } from "./fake-control-plane.js";
import { IngestServer } from "./ingest-server.js";
import { LogBook } from "./policy-folder.js";

beforeEach(() => {
  for (const name of ["D2_TELEMETRY", "D2_DECISION_LOG", "D2_JWKS_URL"]) vi.stubEnv(name, undefined);
  vi.stubEnv("D2_STATE_PATH", ":memory:");
});
afterEach(async () => {
  await shutdownAllRbac();
  vi.unstubAllEnvs();
});

async function cloud(): Promise<{ server: IngestServer; plane: FakeControlPlane; options: object }> {
  const [server, plane] = [await IngestServer.start(), await FakeControlPlane.start()];
  server.plane = plane;
  return { server, plane, options: { token: TOKEN, apiUrl: server.url, logger: new LogBook() } };
}

describe("usage events of the policy", () => {
  it("tell of its loads, of its size, and how it is asked for", async () => {
    const { server, plane, options } = await cloud();
    await configureRbac(options);
    plane.version = 2;
    plane.name = "second";
    await getPolicyManager().reload();
    plane.bundle = status(500);
    await expect(getPolicyManager().reload()).rejects.toThrow();
    await shutdownAllRbac();
    const [first, second] = server.of("policy_loaded");
    expect(first).toMatchObject({ mode: "cloud", tool_count: 1, role_count: 1, service: "first" });
    expect(second).toMatchObject({ policy_etag: '"2.second.k1"', service: "second" });
    expect(server.of("policy_updated")).toHaveLength(1);
    expect(server.of("jwks_fetch")).toMatchObject([{ status: "success" }]);
    expect(server.of("policy_poll_failure")[0]).toMatchObject({ error: "cloud_unusable" });
    expect(server.of("policy_poll").length).toBeGreaterThanOrEqual(3);
  });

  it("tell of a signature that does not hold, and of a set-up that failed for it", async () => {
    const { server, plane, options } = await cloud();
    const jws = await plane.sign({ by: await signingPair("k1") });
    plane.bundle = (_, response) => response.end(JSON.stringify({ jws, version: 1 }));
    await expect(configureRbac(options)).rejects.toThrow();
    await server.seen(1);
    expect(server.of("policy_verification_failed")).toMatchObject([{ reason: "jwt_signature_invalid" }]);
    expect(server.of("policy_load_failed")).toMatchObject([
      { mode: "cloud", error_type: "invalid_signature" },
    ]);
    for (const { text } of server.posts) expect(text).not.toContain(TOKEN);
  });

  it("tell of a key that is not among the pinned ones", async () => {
    const { server, options } = await cloud();
    const pins = { pinJwksThumbprints: ["A".repeat(43)] };
    await expect(configureRbac({ ...options, ...pins })).rejects.toThrow();
    await server.seen(1);
    expect(server.of("policy_verification_failed")).toMatchObject([{ reason: "thumbprint_mismatch" }]);
  });

  it("are none where they are switched off", async () => {
    const { server, options } = await cloud();
    await configureRbac({ ...options, telemetry: "metrics" });
    expect(instanceSlot().enforcer?.recorder).toBeUndefined();
    await shutdownAllRbac();
    expect(server.posts).toEqual([]);
    expect(server.accountsAsked).toBe(0);
  });
});
