const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const LENGTH = 20;

/** A new id: the prefix and 20 random characters of base32 in lower case. */
export function newId(prefix: "acc" | "app" | "tok", randomBytes: (count: number) => Uint8Array): string {
  // 32 divides 256, so that every character is equally likely.
  const characters = Array.from(randomBytes(LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]);
  return `${prefix}_${characters.join("")}`;
}
