/** A placeholder of a case for which there is nothing, as the case before it that brings it did not pass. */
export class MissingVariable extends Error {
  /** @param {string} variable */
  constructor(variable) {
    super(`\`${variable}\` comes from a case that did not pass or run`);
    this.variable = variable;
  }
}

/** What cases know of each other, by name. */
export class Variables {
  /** @type {Map<string, unknown>} */
  #values = new Map();

  /**
   * @param {string} name
   * @param {unknown} value
   */
  set(name, value) {
    this.#values.set(name, value);
  }

  /** @param {string} name */
  delete(name) {
    this.#values.delete(name);
  }

  /** @returns {unknown[]} */
  all() {
    return [...this.#values.values()];
  }

  /**
   * @param {string} name
   * @throws {MissingVariable}
   */
  get(name) {
    if (!this.#values.has(name)) throw new MissingVariable(name);
    return this.#values.get(name);
  }

  /**
   * The value with its placeholders filled in. A text that is one placeholder becomes the value itself; `{{name+n}}` is a
   * number that is larger by n. In `regular` texts what is filled in stands for itself, not for a pattern.
   *
   * @template T
   * @param {T} value
   * @param {{ regular?: boolean }} [options]
   * @returns {T}
   * @throws {MissingVariable}
   */
  fill(value, options = {}) {
    return /** @type {T} */ (this.#fill(value, options.regular === true));
  }

  /**
   * @param {unknown} value
   * @param {boolean} regular
   * @returns {unknown}
   */
  #fill(value, regular) {
    if (typeof value === "string") return this.#fillText(value, regular);
    if (Array.isArray(value)) return value.map((element) => this.#fill(element, regular));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        this.#fill(member, regular || name === "$pattern"),
      ]),
    );
  }

  /**
   * @param {string} text
   * @param {boolean} regular
   */
  #fillText(text, regular) {
    const whole = /^\{\{(\w+)([+-]\d+)?\}\}$/.exec(text);
    if (whole?.[1] !== undefined && !regular) {
      const value = this.get(whole[1]);
      return whole[2] === undefined ? value : Number(value) + Number(whole[2]);
    }
    return text.replaceAll(/\{\{(\w+)\}\}/g, (_, name) => {
      const value = String(this.get(name));
      return regular ? value.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&") : value;
    });
  }
}
