import { type Options, textOption } from "./command.js";
import { UsageError } from "./usage-error.js";

/** The number in an option that takes a whole one. */
export function wholeNumber(options: Options, name: string): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new UsageError(`\`--${flag}\` must be a whole number, such as 10`);
}
