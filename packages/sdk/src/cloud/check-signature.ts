/** The algorithms that are accepted, and nothing else. */
export type SigningAlgorithm = "RS256" | "EdDSA";

/** A public key with just what makes it one. */
export type PublicJwk =
  | { readonly kty: "RSA"; readonly n: string; readonly e: string }
  | { readonly kty: "OKP"; readonly crv: "Ed25519"; readonly x: string };

export interface SignatureTask {
  /** Compact JWS. */
  readonly jws: string;
  readonly jwk: PublicJwk;
  /** The one algorithm that may have been used. */
  readonly alg: SigningAlgorithm;
}

/**
 * Whether a signature holds. Never rejects.
 *
 * INVARIANT: refers to nothing outside of itself, for its text also runs in the thread of the blocking set-up.
 */
export async function checkSignature(
  jose: typeof import("jose"),
  { jws, jwk, alg }: SignatureTask,
): Promise<boolean> {
  try {
    await jose.compactVerify(jws, await jose.importJWK(jwk, alg), { algorithms: [alg] });
    return true;
  } catch {
    // Whatever the reason, a key that cannot be used included: it does not hold.
    return false;
  }
}
