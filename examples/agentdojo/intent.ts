/** What the words of a request give a right to. The words are the user's; nothing that is read later adds a role. */
const WORDINGS: readonly (readonly [role: string, wording: RegExp])[] = [
  ["browser", /\bwww\.|\bweb ?(site|page)|\barticle\b/i],
  ["messenger", /\b(send|write|message|reply|post)\b/i],
  ["publisher", /\b(post|publish)\b.*(\bweb ?site|\bwww\.)/i],
  ["inviter", /\binvite\b/i],
  ["channel-manager", /\b(add|invite)\b.*\bchannels?\b/i],
];

/**
 * The roles for one request, found by its words: crude, the same every time, and done by the program before the
 * assistant has read anything. In an application they may as well come from a button that the user pressed.
 */
export function rolesFor(request: string): string[] {
  return ["reader", ...WORDINGS.filter(([, wording]) => wording.test(request)).map(([role]) => role)];
}
