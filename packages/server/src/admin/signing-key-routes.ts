import { z } from "zod";
import { Problem } from "../http/problem.js";
import { type Route, route } from "../http/route.js";
import type { SigningKey } from "../storage/storage.js";
import { instant } from "./instant.js";

const ALGORITHM = z.enum(["RS256", "EdDSA"]);

const SIGNING_KEY = z.object({
  kid: z.string(),
  alg: ALGORITHM,
  state: z
    .enum(["announced", "signing", "listed"])
    .describe("`announced`: listed, will sign later; `listed`: has signed, or was overtaken"),
  created_at: z.string(),
  signs_from: z.string(),
  listed_until: z.string().nullable(),
  rotation: z.object({ id: z.string(), reason: z.string() }).nullable(),
});

function shown(key: SigningKey, signer: string | undefined, now: number): z.input<typeof SIGNING_KEY> {
  return {
    kid: key.kid,
    alg: key.alg,
    state: key.signsFrom > now ? "announced" : key.kid === signer ? "signing" : "listed",
    created_at: instant(key.createdAt),
    signs_from: instant(key.signsFrom),
    listed_until: instant(key.listedUntil),
    rotation: key.rotation,
  };
}

/** `GET /v1/signing-keys` and `POST /v1/signing-keys/rotate`. */
export const signingKeyRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/signing-keys",
    summary: "The keys that sign bundles, oldest first",
    tag: "signing keys",
    access: { scopes: ["admin"] },
    responses: { 200: { description: "Listed keys", schema: z.object({ keys: z.array(SIGNING_KEY) }) } },
    handler({ services, clock }) {
      const keys = services.signing.keys();
      const now = clock();
      const signer = services.signing.signer(now)?.kid;
      return { status: 200, body: { keys: keys.map((key) => shown(key, signer, now)) } };
    },
  }),
  route({
    method: "POST",
    path: "/v1/signing-keys/rotate",
    summary: "Makes a new signing key",
    description:
      "It is listed at once, and signs after the lead, or at once with `immediate`. The keys sign for all accounts, so this is for the operator's: the first one.",
    tag: "signing keys",
    access: { scopes: ["admin"] },
    body: z
      .strictObject({
        immediate: z.boolean().default(false),
        alg: ALGORITHM.optional(),
        reason: z
          .string()
          .min(1)
          .max(200)
          .regex(/^[ -~]*$/)
          .optional(),
      })
      .default({ immediate: false }),
    responses: {
      201: { description: "The new key", schema: SIGNING_KEY },
      403: { description: "`operator_only`: another account than the server's first one" },
    },
    async handler({ services, identity, body, clock }) {
      const [operator] = await services.storage.accounts();
      if (operator?.id !== identity.accountId) {
        throw new Problem(403, "operator_only", {
          detail:
            "the keys sign for every account of this server: only the first account's admin may rotate them",
        });
      }
      const key = await services.signing.rotate(body);
      return { status: 201, body: shown(key, key.kid, clock()) };
    },
  }),
];
