/**
 * How a printed text sets off its parts, so that the same words can go to a terminal with colours and to a file without.
 * Each function gives the text back with what its medium needs around it; its width on the screen must not change.
 */
export interface Marks {
  /** Headings, and names that a line is about. */
  strong(text: string): string;
  /** Allowed, passed, tightened. */
  good(text: string): string;
  /** Denied, failed, loosened. */
  bad(text: string): string;
  /** Possible, uncertain, worth a look. */
  warn(text: string): string;
  /** Places, and what is only said for completeness. */
  faint(text: string): string;
}

const same = (text: string): string => text;

/** The text as it is. */
export const NO_MARKS: Marks = Object.freeze({
  strong: same,
  good: same,
  bad: same,
  warn: same,
  faint: same,
});
