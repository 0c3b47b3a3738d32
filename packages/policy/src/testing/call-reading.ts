import {
  checkToolId,
  type DocumentPath,
  type ParameterNames,
  type PolicyTree,
  quoted,
  suggestWord,
  type TreeReading,
} from "d2-core";
import type { TextPosition } from "../line-index.js";
import { readExpectation } from "./expectation-reading.js";
import { type Fields, fieldsOf, isTreeList, isTreeMap, type Placed } from "./placed.js";
import { plainValue } from "./plain-value.js";
import type { TestCall } from "./policy-tests.js";
import { aliasesOf, HISTORY_KEYS } from "./test-keys.js";

/** What reading a call needs to know of its file. */
export interface FileFacts {
  readonly reading: TreeReading;
  /** Parameter names of the tools that have them. */
  readonly tools: ReadonlyMap<string, ParameterNames>;
  position(path: DocumentPath): TextPosition;
}

/** Where a call stands among the calls of its test. */
export interface CallPlace {
  readonly part: TestCall["part"];
  readonly number: number;
  readonly path: DocumentPath;
}

/**
 * Reads the call that the fields tell of. Nothing when it has no tool; what is wrong is reported.
 *
 * @param expected what its `expect` says, taken apart
 */
export function readCall(
  fields: Fields,
  expected: Fields | undefined,
  place: CallPlace,
  facts: FileFacts,
): TestCall | undefined {
  const { reading } = facts;
  const tool = readTool(fields.get("call"), reading);
  const returns = fields.get("returns");
  const fails = readFlag("fails", fields, reading);
  const assume = readFlag("assume", fields, reading);
  if (returns !== undefined && fails) {
    const message = "a call that fails returns nothing that is looked at: keep one of `fails` and `returns`";
    reading.faults.error("contradiction", message, returns.path, { at: "key" });
  }
  const expect = expected && readExpectation(expected, returns !== undefined, reading);
  const { args, names } = readArguments(fields.get("args"), tool, facts);
  if (tool === undefined) return undefined;
  const { part, number, path } = place;
  return {
    part,
    number,
    tool,
    args,
    names,
    returns: returns === undefined ? undefined : { value: plainValue(returns.node) },
    fails,
    assume,
    expect,
    ...facts.position(path),
  };
}

/** Reads the earlier calls of a session: each a tool id, or a mapping. */
export function readHistory(field: Placed | undefined, facts: FileFacts): TestCall[] {
  if (field === undefined || field.node === null) return [];
  const { reading } = facts;
  const items: readonly PolicyTree[] =
    typeof field.node === "string" ? [field.node] : (reading.list(field.node, field.path, "`history`") ?? []);
  return items.flatMap((node, index) => {
    const path = typeof field.node === "string" ? field.path : [...field.path, index];
    const place = { part: "history", number: index + 1, path } as const;
    if (typeof node === "string")
      return readCall(new Map([["call", { node, path }]]), undefined, place, facts) ?? [];
    const map = reading.mapping(node, path, "a call of the history");
    if (map === undefined) return [];
    const meant = reading.knownKeys(
      map,
      path,
      "a call of the history",
      HISTORY_KEYS,
      aliasesOf(HISTORY_KEYS),
    );
    if (!map.has("call") && !meant.has("call")) reportNoCall(reading, path);
    return readCall(fieldsOf(map, path), undefined, place, facts) ?? [];
  });
}

export function reportNoCall(reading: TreeReading, path: DocumentPath): void {
  reading.faults.error("missing_call", "it is not said what is called: write `call` and a tool id", path);
}

function readTool(field: Placed | undefined, reading: TreeReading): string | undefined {
  if (field === undefined) return undefined;
  const tool = reading.text(field.node, field.path, "`call`");
  const fault = tool === undefined ? undefined : toolFault(tool);
  if (fault === undefined) return tool;
  reading.faults.error("bad_tool", fault, field.path);
  return undefined;
}

/** Why a text is not the id of a tool; a test knows no patterns and groups. */
export function toolFault(text: string): string | undefined {
  if (!text.includes("*") && !text.startsWith("@")) return checkToolId(text);
  return `${quoted(text)} may stand for several tools, and a call is of one: write its tool id`;
}

function readFlag(name: string, fields: Fields, reading: TreeReading): boolean {
  const field = fields.get(name);
  return field !== undefined && (reading.boolean(field.node, field.path, `\`${name}\``) ?? false);
}

function readArguments(
  field: Placed | undefined,
  tool: string | undefined,
  { reading, tools }: FileFacts,
): Pick<TestCall, "args" | "names"> {
  const names = tool === undefined ? undefined : tools.get(tool);
  if (field === undefined || field.node === null) return { args: [], names };
  const { node, path } = field;
  if (isTreeList(node)) {
    if (tool !== undefined && names === undefined) {
      const message = `a list of arguments needs names: write them as \`tools\`, ${quoted(tool)}, \`params\`, or give a mapping`;
      reading.faults.error("unnamed_arguments", message, path);
    }
    return { args: node.map(plainValue), names };
  }
  if (!isTreeMap(node)) {
    reading.mapping(node, path, "`args`");
    return { args: [], names };
  }
  if (names === undefined) return { args: [plainValue(node)], names };
  for (const key of node.keys()) {
    if (names.positions.has(key)) continue;
    const suggestion = suggestWord(key, names.positions.keys());
    const hint = suggestion === undefined ? "mend one of them" : `did you mean \`${suggestion}\`?`;
    const message = `${quoted(key)} is not among the \`params\` of the tool: ${hint}`;
    reading.faults.error("unknown_argument", message, [...path, key], { at: "key", suggestion });
  }
  return { args: inOrder(node, names), names };
}

/** Named arguments in the order of the names. */
function inOrder(args: ReadonlyMap<string, PolicyTree>, names: ParameterNames): readonly unknown[] {
  const own = (name: string): unknown => {
    const node = args.get(name);
    return node === undefined ? undefined : plainValue(node);
  };
  const all = [...names.positions.keys()].filter((name) => name !== names.rest).map(own);
  const rest = names.rest === undefined ? undefined : own(names.rest);
  if (Array.isArray(rest)) all.push(...rest);
  while (all.length > 0 && all.at(-1) === undefined) all.pop();
  return all;
}
