/**
 * The entity tags of an `If-Match` or `If-None-Match` header (RFC 9110, section 13.1); `*` for any, undefined for what is
 * not such a list. Weak ones have their `W/` left off.
 *
 * @param weak whether weak ones count
 */
export function entityTags(header: string, weak: boolean): "*" | readonly string[] | undefined {
  if (header.trim() === "*") return "*";
  const tag = /\s*(W\/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)/y;
  const tags: string[] = [];
  while (tag.lastIndex < header.length) {
    const found = tag.exec(header);
    if (found === null) return undefined;
    if (found[2] !== undefined && (weak || found[1] === undefined)) tags.push(found[2]);
  }
  return tags;
}

/** Whether a cached answer with one of the header's tags is still the one to give. */
export function matchesNone(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header === etag) return true;
  const tags = entityTags(header, true);
  return tags === "*" || tags?.includes(etag) === true;
}
