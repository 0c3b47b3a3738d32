/** Whether a text is empty or white space only: Unicode's white space and U+001C..U+001F, as the contract counts it. */
export function isBlank(text: string): boolean {
  for (const character of text) {
    const separator = character >= "\u001c" && character <= "\u001f";
    if (!separator && !/\p{White_Space}/u.test(character)) return false;
  }
  return true;
}
