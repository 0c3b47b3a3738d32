import { readFileSync } from "node:fs";
import { request } from "node:https";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { testServer } from "./running-server.js";

const file = (name: string) => fileURLToPath(new URL(`certificates/${name}`, import.meta.url));

it("speaks TLS with the given certificate, and asks clients to stay with it", async () => {
  const { url } = await testServer({ tlsCert: file("localhost.crt"), tlsKey: file("localhost.key") });
  expect(url).toMatch(/^https:/);
  const ca = readFileSync(file("localhost.crt"));
  const answer = await new Promise<readonly [number | undefined, unknown]>((resolve, reject) => {
    request(`${url}/v1/healthz`, { ca, agent: false }, (response) => {
      response.resume();
      resolve([response.statusCode, response.headers["strict-transport-security"]]);
    })
      .on("error", reject)
      .end();
  });
  expect(answer).toEqual([200, "max-age=31536000"]);
});
