import type { Class, ClassElement } from "oxc-parser";
import { typeQuery } from "./declare.js";
import { type Interpreting, leadsToGuard, type Meaning, named, type Place, UNKNOWN } from "./meaning.js";
import { plainKey } from "./syntax.js";

/** What `whole.key` stands for. */
export function memberOf(interpreter: Interpreting, whole: Meaning, key: string): Meaning {
  switch (whole.is) {
    case "sdk":
      if (key === "d2Guard" || key === "d2") return { is: "guard" };
      if (key === "check") return { is: "check" };
      return key === "default" ? whole : UNKNOWN;
    case "guard":
      return key === "worker" ? { is: "worker" } : UNKNOWN;
    case "module":
      return interpreter.exported(whole.module, key);
    case "object":
      return propertyOf(interpreter, whole, key).meaning;
    case "array":
      return elementOf(interpreter, whole, key);
    case "class":
      return classMember(interpreter, whole, key, true);
    case "instance":
      return classMember(interpreter, whole, key, false);
    case "enum":
      return enumMember(interpreter, whole, key);
    case "namespace":
      return whole.scope.facts.has(key) ? interpreter.named(key, whole) : UNKNOWN;
    case "worker":
    case "check":
    case "guarding":
    case "text":
    case "function":
    case "require":
    case "unknown":
      return UNKNOWN;
  }
}

/** A property of an object literal, and whether it is sure to be there, sure not to be, or neither. */
export function propertyOf(
  interpreter: Interpreting,
  object: Extract<Meaning, { is: "object" }>,
  key: string,
): { readonly meaning: Meaning; readonly there: boolean | undefined } {
  let certain = true;
  for (const property of object.node.properties.toReversed()) {
    if (property.type === "SpreadElement") {
      const spread = interpreter.meaningOf(property.argument, object);
      const inner = spread.is === "object" ? propertyOf(interpreter, spread, key) : undefined;
      if (inner?.there === true) return inner;
      const exported = spread.is === "object" ? UNKNOWN : memberOf(interpreter, spread, key);
      if (exported.is !== "unknown") return { meaning: exported, there: true };
      if (inner?.there !== false) certain = false;
      continue;
    }
    const name = property.computed
      ? interpreter.textOf(property.key as typeof property.value, object)
      : plainKey(property.key, false);
    if (name === undefined) certain = false;
    if (name !== key) continue;
    if (property.kind !== "init") return { meaning: UNKNOWN, there: true };
    const meaning = interpreter.meaningOf(property.value, object);
    return { meaning: named(meaning, property.value, key), there: true };
  }
  return { meaning: UNKNOWN, there: certain ? false : undefined };
}

function elementOf(
  interpreter: Interpreting,
  { node, module, scope }: Extract<Meaning, { is: "array" }>,
  key: string,
): Meaning {
  const index = /^\d+$/.test(key) ? Number(key) : -1;
  const before = node.elements.slice(0, index + 1);
  const element = before[index];
  if (!element || before.some((it) => it?.type === "SpreadElement") || element.type === "SpreadElement")
    return UNKNOWN;
  return interpreter.meaningOf(element, { module, scope });
}

function enumMember(
  interpreter: Interpreting,
  { nodes, module, scope }: Extract<Meaning, { is: "enum" }>,
  key: string,
): Meaning {
  for (const member of nodes.flatMap(({ body }) => body.members)) {
    const name = member.id.type === "TemplateLiteral" ? undefined : plainKey(member.id, false);
    if (name === key) {
      return member.initializer === null
        ? UNKNOWN
        : interpreter.meaningOf(member.initializer, { module, scope });
    }
  }
  return UNKNOWN;
}

function classMember(
  interpreter: Interpreting,
  owner: Place & { readonly node: Class },
  key: string,
  fromClass: boolean,
): Meaning {
  const { module, node } = owner;
  const scope = module.inside.get(node) ?? owner.scope;
  const place = { module, scope };
  // `this` in a static member is the class: both kinds are looked through there, the likelier first.
  const members = node.body.body.filter((it) => "key" in it && plainKey(it.key, it.computed) === key);
  const fitting = members.filter((it) => isStatic(it) === fromClass);
  for (const member of fitting.length > 0 || fromClass ? fitting : members) {
    if (member.type === "MethodDefinition") {
      if (member.kind !== "method") return UNKNOWN;
      return { is: "function", node: member.value, name: key, ...place };
    }
    if (member.type !== "PropertyDefinition") continue;
    if (member.value !== null) {
      const meaning = interpreter.meaningOf(member.value, place);
      // Whoever has the object may have put another text there.
      if (meaning.is === "text" && !isStatic(member) && member.readonly !== true) return UNKNOWN;
      return named(meaning, member.value, key);
    }
    const query = typeQuery(member.typeAnnotation);
    if (query !== undefined) return interpreter.entity(query, place);
  }
  const given = constructorField(interpreter, node, key, place);
  if (given !== undefined) return given;
  const assigned = (scope.fields.get(key) ?? []).map((it) =>
    interpreter.meaningOf(it.node, { module, scope: it.scope }),
  );
  const guard = assigned.find(leadsToGuard);
  if (guard !== undefined) return guard;
  if (node.superClass === null) return UNKNOWN;
  const parent = interpreter.meaningOf(node.superClass, { module, scope: scope.parent ?? scope });
  return parent.is === "class" ? classMember(interpreter, parent, key, fromClass) : UNKNOWN;
}

/** A field that a parameter of the constructor declares: `constructor(private guard: typeof d2Guard)`. */
function constructorField(
  interpreter: Interpreting,
  node: Class,
  key: string,
  place: Place,
): Meaning | undefined {
  for (const member of node.body.body) {
    if (member.type !== "MethodDefinition" || member.kind !== "constructor") continue;
    for (const param of member.value.params) {
      if (param.type !== "TSParameterProperty") continue;
      const { parameter } = param;
      const target = parameter.type === "AssignmentPattern" ? parameter.left : parameter;
      if (target.type !== "Identifier" || target.name !== key) continue;
      const scope = place.module.inside.get(member.value) ?? place.scope;
      const meaning = interpreter.named(key, { module: place.module, scope });
      return leadsToGuard(meaning) ? meaning : undefined;
    }
  }
  return undefined;
}

function isStatic(member: ClassElement): boolean {
  return "static" in member && member.static === true;
}
