const functionText = Function.prototype.toString;

/**
 * Whether an object is the prototype that the language itself gives to instances of `name` (`Date`, `Map`), in this
 * realm or another. The prototype of a subclass is not.
 */
export function isNativePrototype(prototype: unknown, name: string): boolean {
  if (typeof prototype !== "object" || prototype === null) return false;
  const maker: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  if (typeof maker !== "function") return false;
  // Code written in the language shows its own text here, and a bound function has no name in it.
  if (functionText.call(maker) !== `function ${name}() { [native code] }`) return false;
  return Object.getOwnPropertyDescriptor(maker, "prototype")?.value === prototype;
}
