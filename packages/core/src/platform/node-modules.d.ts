// The few members of Node's modules that `node.ts` and `node-sha256.ts` call. They are declared here, and not taken from `@types/node`,
// because those types would also bring `process`, `console` and every other Node global into this package, where
// they must not be used.

declare module "node:crypto" {
  interface Hash {
    update(text: string, encoding: "utf8"): Hash;
    digest(encoding: "hex"): string;
  }
  export function createHash(algorithm: "sha256"): Hash;
  /** Present from Node 20.12 and 21.7 on. */
  export function hash(algorithm: "sha256", text: string, encoding: "hex"): string;
}

declare module "node:util" {
  export namespace types {
    function isProxy(value: unknown): boolean;
  }
}
