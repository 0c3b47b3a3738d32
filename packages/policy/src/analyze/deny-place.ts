/** A deny pattern, by its role's place and its own place there. */
export interface DenyPlace {
  readonly role: number;
  readonly deny: number;
}
