/**
 * The decimal text of a number: the shortest digits that name it, never with an exponent (`1e21` is a one and 21
 * zeros). `-0` is `0`. `undefined` for NaN and infinities.
 */
export function decimalText(value: number | bigint): string | undefined {
  if (typeof value === "number" && !Number.isFinite(value)) return undefined;
  const text = String(value);
  const parts = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (parts === null) return text;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = parts;
  const digits = whole + fraction;
  const point = 1 + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return sign + digits.padEnd(point, "0");
}
