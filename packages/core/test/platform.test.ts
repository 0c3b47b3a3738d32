import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as nodeProxy from "../src/platform/node.js";
import * as nodeSha256 from "../src/platform/node-sha256.js";
import * as webProxy from "../src/platform/web.js";
import * as webSha256 from "../src/platform/web-sha256.js";

const node = { ...nodeProxy, ...nodeSha256 };
const web = { ...webProxy, ...webSha256 };

const ascii = fc.string({ unit: "binary-ascii", maxLength: 300 });

describe("platform", () => {
  it("gives the known digest of the empty text and of `{}` on both platforms", () => {
    for (const { sha256Hex } of [node, web]) {
      expect(sha256Hex("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
      expect(sha256Hex("{}")).toBe("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    }
  });

  it("gives the same digest on both platforms for any ASCII text", () => {
    fc.assert(fc.property(ascii, (text) => web.sha256Hex(text) === node.sha256Hex(text)));
  });

  it("gives the same digest on both platforms at every length around a block of SHA-256", () => {
    for (let length = 0; length <= 130; length++) {
      const text = "x".repeat(length);
      expect(web.sha256Hex(text)).toBe(node.sha256Hex(text));
    }
  });

  it("exports the same names on both platforms", () => {
    expect(Object.keys(web).sort()).toEqual(Object.keys(node).sort());
  });

  it("tells a proxy on node, without running a trap of it", () => {
    const trap = () => {
      throw new Error("a trap ran");
    };
    expect(node.isProxy(new Proxy({}, { get: trap, getPrototypeOf: trap, ownKeys: trap }))).toBe(true);
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    expect(node.isProxy(revoked.proxy)).toBe(true);
    for (const value of [{}, [], null, 1, "x", () => 0]) expect(node.isProxy(value)).toBe(false);
  });

  it("never claims to tell a proxy elsewhere", () => {
    expect(web.isProxy(new Proxy({}, {}))).toBe(false);
  });
});
