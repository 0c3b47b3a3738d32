/** Members of a matcher, each with what it says of a value. Operands have had their placeholders filled in. */
const MATCHERS = {
  /** @param {string} type @param {unknown} value */
  $type: (type, value) => typeOf(value) === type || (type === "number" && typeOf(value) === "integer"),
  /** @param {string} pattern @param {unknown} value */
  $pattern: (pattern, value) => typeof value === "string" && new RegExp(pattern, "u").test(value),
  /** @param {unknown[]} choices @param {unknown} value */
  $oneOf: (choices, value) => choices.some((choice) => mismatches(choice, value).length === 0),
  /** @param {unknown[]} wanted @param {unknown} value */
  $has: (wanted, value) =>
    Array.isArray(value) &&
    wanted.every((each) => value.some((element) => mismatches(each, element).length === 0)),
  /** @param {unknown} each @param {unknown} value */
  $each: (each, value) =>
    Array.isArray(value) && value.every((element) => mismatches(each, element).length === 0),
  /** @param {number} least @param {unknown} value */
  $atLeast: (least, value) => typeof value === "number" && value >= least,
  /** @param {number} bound @param {unknown} value */
  $above: (bound, value) => typeof value === "number" && value > bound,
  /** @param {number} length @param {unknown} value */
  $length: (length, value) => (typeof value === "string" || Array.isArray(value)) && value.length === length,
  /** @param {unknown} other @param {unknown} value */
  $not: (other, value) => mismatches(other, value).length > 0,
  /** @param {boolean} absent @param {unknown} value */
  $absent: (absent, value) => (value === undefined) === absent,
};

/** @param {unknown} value */
function typeOf(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export const isRecord = (value) => typeOf(value) === "object";

/** @param {unknown} value */
function shown(value) {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 160 ? `${text.slice(0, 160)}...` : text;
}

/**
 * What of a value is not as expected: objects are compared by the members that are expected, lists element by element,
 * and an object whose members begin with `$` is a matcher.
 *
 * @param {unknown} expected
 * @param {unknown} actual
 * @param {string} [path]
 * @returns {string[]}
 */
export function mismatches(expected, actual, path = "") {
  const here = path === "" ? "it" : `\`${path}\``;
  if (isRecord(expected)) {
    const names = Object.keys(expected);
    if (names.length > 0 && names.every((name) => name.startsWith("$"))) {
      return names.flatMap((name) => {
        if (!Object.hasOwn(MATCHERS, name)) throw new Error(`there is no matcher \`${name}\``);
        /** @type {(operand: any, value: unknown) => boolean} */
        const holds = MATCHERS[/** @type {keyof typeof MATCHERS} */ (name)];
        return holds(expected[name], actual)
          ? []
          : [`${here} must be ${name} ${shown(expected[name])}, is ${shown(actual)}`];
      });
    }
    if (!isRecord(actual)) return [`${here} must be an object, is ${shown(actual)}`];
    return names.flatMap((name) =>
      mismatches(
        expected[name],
        Object.hasOwn(actual, name) ? actual[name] : undefined,
        path === "" ? name : `${path}.${name}`,
      ),
    );
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) {
      return [`${here} must be a list of ${expected.length}, is ${shown(actual)}`];
    }
    return expected.flatMap((each, index) => mismatches(each, actual[index], `${path}[${index}]`));
  }
  return Object.is(expected, actual) ? [] : [`${here} must be ${shown(expected)}, is ${shown(actual)}`];
}
