import {
  ConfigurationError,
  type DocumentPath,
  type FaultList,
  type ParameterNames,
  type PolicyTree,
  parameterNames,
  quoted,
  suggestWord,
  TreeReading,
} from "d2-core";
import { readExpiry } from "../expiry.js";
import type { TextPosition } from "../line-index.js";
import { type FileFacts, readCall, readHistory, reportNoCall, toolFault } from "./call-reading.js";
import { expectationFields } from "./expectation-reading.js";
import { type Fields, fieldsOf, isTreeMap, type Placed } from "./placed.js";
import type { PolicyTest, PolicyTests, TestCall, TestUser } from "./policy-tests.js";
import { rowsOf } from "./table.js";
import { aliasesOf, FILE_KEYS, STEP_KEYS, TEST_KEYS, USER_KEYS } from "./test-keys.js";

/** The id of a user whom a test gives by roles alone. */
const SOMEBODY = "user";

/** Reads the tree of a test file; every fault goes into `faults`, and then what comes back is not to be used. */
export function readTestTree(
  tree: PolicyTree,
  faults: FaultList,
  position: (path: DocumentPath) => TextPosition,
): Omit<PolicyTests, "file"> {
  return new TestFileReading(new TreeReading(faults), position).read(tree);
}

class TestFileReading implements FileFacts {
  readonly reading: TreeReading;
  readonly position: (path: DocumentPath) => TextPosition;
  readonly tools = new Map<string, ParameterNames>();
  readonly #users = new Map<string, TestUser | undefined>();
  readonly #names = new Set<string>();

  constructor(reading: TreeReading, position: (path: DocumentPath) => TextPosition) {
    this.reading = reading;
    this.position = position;
  }

  read(tree: PolicyTree): Omit<PolicyTests, "file"> {
    const { reading } = this;
    const map = reading.mapping(tree, [], "a test file");
    if (map === undefined) return { policy: undefined, tests: [] };
    const meant = reading.knownKeys(map, [], "a test file", FILE_KEYS, aliasesOf(FILE_KEYS));
    const policy = map.has("policy")
      ? this.#filled("policy", map.get("policy") ?? null, ["policy"])
      : undefined;
    for (const [name, { node, path }] of this.#entries(map.get("users"), "users")) {
      this.#users.set(name, this.#person(node, path, name));
    }
    for (const [name, { node, path }] of this.#entries(map.get("tools"), "tools"))
      this.#tool(name, node, path);
    const tests = map.get("tests");
    if (tests === undefined && !meant.has("tests")) {
      reading.faults.error("missing_tests", "a test file needs `tests`: write a list of them", []);
    }
    const list = tests === undefined ? [] : (reading.list(tests, ["tests"], "`tests`") ?? []);
    return { policy, tests: list.flatMap((test, index) => this.#test(test, ["tests", index])) };
  }

  #entries(node: PolicyTree | undefined, key: string): Fields {
    if (node === undefined) return new Map();
    const map = this.reading.mapping(node, [key], `\`${key}\``);
    return map === undefined ? new Map() : fieldsOf(map, [key]);
  }

  #person(node: PolicyTree, path: DocumentPath, defaultId: string): TestUser | undefined {
    const map = this.reading.mapping(node, path, "a user");
    if (map === undefined) return undefined;
    const meant = this.reading.knownKeys(map, path, "a user", USER_KEYS, aliasesOf(USER_KEYS));
    const id = map.has("id") ? this.#filled("id", map.get("id") ?? null, [...path, "id"]) : defaultId;
    const roles = map.get("roles");
    if (roles === undefined) {
      if (!meant.has("roles")) {
        this.reading.faults.error(
          "missing_roles",
          "a user needs `roles`: write a list, which may be empty",
          path,
        );
      }
      return undefined;
    }
    const found = this.reading.texts(roles, [...path, "roles"], "`roles`");
    return id === undefined || found === undefined ? undefined : { id, roles: found.map(({ text }) => text) };
  }

  #filled(name: string, node: PolicyTree, path: DocumentPath): string | undefined {
    const text = this.reading.text(node, path, `\`${name}\``);
    if (text !== "") return text;
    this.reading.faults.error("empty", `\`${name}\` is empty: write something, or leave it out`, path);
    return undefined;
  }

  #tool(name: string, node: PolicyTree, path: DocumentPath): void {
    const { reading } = this;
    const map = reading.mapping(node, path, "a tool");
    if (map === undefined) return;
    const fault = toolFault(name);
    if (fault !== undefined) reading.faults.error("bad_tool", fault, path, { at: "key" });
    const meant = reading.knownKeys(map, path, "a tool", ["params"]);
    const params = map.get("params");
    if (params === undefined) {
      if (!meant.has("params"))
        reading.faults.error("missing_params", "a tool here needs `params`: list them", path);
      return;
    }
    const texts = reading.texts(params, [...path, "params"], "`params`");
    if (texts === undefined) return;
    try {
      this.tools.set(name, parameterNames(texts.map(({ text }) => text)));
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      reading.faults.error("bad_params", error.message, [...path, "params"]);
    }
  }

  #test(node: PolicyTree, path: DocumentPath): PolicyTest[] {
    const { reading } = this;
    const map = reading.mapping(node, path, "a test");
    if (map === undefined) return [];
    const meant = reading.knownKeys(map, path, "a test", TEST_KEYS, aliasesOf(TEST_KEYS));
    const fields = fieldsOf(map, path);
    if (!map.has("name") && !meant.has("name")) {
      reading.faults.error("missing_name", "a test needs a `name`: say in a sentence what must hold", path);
    }
    const name = map.has("name")
      ? this.#filled("name", map.get("name") ?? null, [...path, "name"])
      : undefined;
    const table = fields.get("table");
    const steps = fields.get("steps");
    if (steps !== undefined) return this.#steps(name, fields, steps, path);
    if (table === undefined) {
      const expect = fields.get("expect");
      if (expect === undefined && !meant.has("expect")) this.#reportNoExpectation(path);
      if (!map.has("call") && !meant.has("call")) reportNoCall(reading, path);
      return this.#single(name, fields, expect && expectationFields(expect, reading), path);
    }
    return rowsOf(fields, table, reading).flatMap((row) => {
      if (!row.fields.has("call")) reportNoCall(reading, row.path);
      if (row.expected === undefined) this.#reportNoExpectation(row.path);
      const own = row.fields.get("name");
      const title =
        own !== undefined && own.path !== fields.get("name")?.path ? this.#rowName(own) : undefined;
      const full = name === undefined ? undefined : `${name}, ${title ?? `row ${row.number}`}`;
      return this.#single(full, row.fields, row.expected, row.path);
    });
  }

  #rowName(field: Placed): string | undefined {
    return field.node === null ? undefined : this.#filled("name", field.node, field.path);
  }

  #single(
    name: string | undefined,
    fields: Fields,
    expected: Fields | undefined,
    path: DocumentPath,
  ): PolicyTest[] {
    const place = this.position(path);
    const history = readHistory(fields.get("history"), this);
    const call = readCall(fields, expected, { part: "call", number: 1, path }, this);
    return this.#session(name, fields, call === undefined ? [] : [...history, call], path, place);
  }

  #steps(
    name: string | undefined,
    fields: Fields,
    { node, path: at }: Placed,
    path: DocumentPath,
  ): PolicyTest[] {
    const { reading } = this;
    for (const key of [...STEP_KEYS, "table"]) {
      const field = fields.get(key);
      if (field === undefined) continue;
      const message = `\`${key}\` has no meaning beside \`steps\`: write it in a step, or take it out`;
      reading.faults.error("contradiction", message, field.path, { at: "key" });
    }
    const start = this.position(path);
    const history = readHistory(fields.get("history"), this);
    let expectations = 0;
    const calls = (reading.list(node, at, "`steps`") ?? []).flatMap((step, index): TestCall[] => {
      const place = [...at, index];
      const map = reading.mapping(step, place, "a step");
      if (map === undefined) return [];
      const meant = reading.knownKeys(map, place, "a step", STEP_KEYS, aliasesOf(STEP_KEYS));
      if (!map.has("call") && !meant.has("call")) reportNoCall(reading, place);
      if (map.has("expect") || meant.has("expect")) expectations++;
      const own = fieldsOf(map, place);
      const expect = own.get("expect");
      const expected = expect && expectationFields(expect, reading);
      const call = readCall(own, expected, { part: "step", number: index + 1, path: place }, this);
      return call === undefined ? [] : [call];
    });
    if (expectations === 0) this.#reportNoExpectation(at);
    return this.#session(name, fields, [...history, ...calls], path, start);
  }

  #reportNoExpectation(path: DocumentPath): void {
    const message = "nothing is expected here: write `expect` with `allow`, `deny` or a mapping";
    this.reading.faults.error("missing_expect", message, path);
  }

  #session(
    name: string | undefined,
    fields: Fields,
    calls: readonly TestCall[],
    path: DocumentPath,
    place: TextPosition,
  ): PolicyTest[] {
    const user = this.#user(fields.get("user"));
    const facts = fields.get("facts");
    const labels =
      facts === undefined || facts.node === null
        ? []
        : (this.reading.texts(facts.node, facts.path, "`facts`") ?? []).map(({ text }) => text);
    const now = this.#instant(fields.get("now"));
    if (name === undefined) return [];
    if (this.#names.has(name)) {
      const message = `the name ${quoted(name)} is there twice: give each test a name of its own`;
      this.reading.faults.error("duplicate_name", message, fields.get("name")?.path ?? path);
    }
    this.#names.add(name);
    return [{ name, ...place, user, facts: labels, now, calls }];
  }

  /** A name, or a user written out; nothing or null is nobody. */
  #user(field: Placed | undefined): TestUser | undefined {
    if (field === undefined || field.node === null) return undefined;
    const { node, path } = field;
    if (isTreeMap(node)) return this.#person(node, path, SOMEBODY);
    const name = this.reading.text(node, path, "`user`");
    if (name === undefined || this.#users.has(name))
      return name === undefined ? undefined : this.#users.get(name);
    const suggestion = suggestWord(name, this.#users.keys());
    const hint =
      suggestion === undefined
        ? "add it, or write `{ roles: [...] }`"
        : `did you mean ${quoted(suggestion)}?`;
    const message = `${quoted(name)} is not among the \`users\` of this file: ${hint}`;
    this.reading.faults.error("unknown_user", message, path, { suggestion });
    return undefined;
  }

  #instant(field: Placed | undefined): number | undefined {
    if (field === undefined || field.node === null) return undefined;
    const text = this.reading.text(field.node, field.path, "`now`");
    if (text === undefined) return undefined;
    const instant = readExpiry(text);
    if (instant !== undefined) return instant;
    const message = "`now` cannot be read as an instant: write it like `2027-01-31T00:00:00Z`";
    this.reading.faults.error("bad_instant", message, field.path);
    return undefined;
  }
}
