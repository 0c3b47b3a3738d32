import type { DocumentPath, ToolGroup } from "./document.js";
import { quoted } from "./name-characters.js";
import { isTreeMap, type PolicyTree } from "./policy-tree.js";
import { suggestWord } from "./spelling.js";
import { checkName, groupOf, parseToolPattern } from "./tool-reference.js";
import type { TreeReading } from "./tree-reading.js";

/** The tool groups of a policy, and the checks of everything that names a tool or a group. */
export class ToolNames {
  readonly groups: readonly ToolGroup[];
  readonly #reading: TreeReading;
  readonly #tools = new Map<string, readonly string[]>();
  /** Groups that have faults of their own: a reference to one is not a second fault. */
  readonly #faulty = new Set<string>();
  /** References that were looked at before and hold no fault: policies repeat the same few thousand names. */
  readonly #sound = new Set<string>();

  /** @param metadata The `metadata` mapping, where there is one. */
  constructor(metadata: PolicyTree | undefined, reading: TreeReading) {
    this.#reading = reading;
    const node = isTreeMap(metadata) ? metadata.get("tool_groups") : undefined;
    this.groups = Object.freeze(
      node === undefined ? [] : this.#readGroups(node, ["metadata", "tool_groups"]),
    );
  }

  /** A tool pattern or `@group`. */
  reference(node: PolicyTree, path: DocumentPath, what: string): string | undefined {
    const text = this.#reading.text(node, path, what);
    return text !== undefined && this.referenceText(text, path) ? text : undefined;
  }

  /** Whether a text is a tool reference; if not, why is a fault at `path`. */
  referenceText(text: string, path: DocumentPath, at: "key" | "value" = "value"): boolean {
    if (this.#sound.has(text)) return true;
    const group = groupOf(text);
    const sound = group === undefined ? this.#pattern(text, path, at) : this.#groupReference(group, path, at);
    if (sound) this.#sound.add(text);
    return sound;
  }

  /** A list of tool references; a lone one is a list of one. */
  references(node: PolicyTree, path: DocumentPath, what: string): readonly string[] {
    const found: string[] = [];
    for (const item of this.#reading.texts(node, path, what) ?? []) {
      if (this.referenceText(item.text, item.path)) found.push(item.text);
    }
    return Object.freeze(found);
  }

  #readGroups(node: PolicyTree, path: DocumentPath): ToolGroup[] {
    const groups: ToolGroup[] = [];
    const map = this.#reading.mapping(node, path, "`tool_groups`");
    for (const [name, value] of map ?? []) {
      const at = Object.freeze([...path, name]);
      const named = this.#groupName(name, at);
      const tools = this.#groupTools(value, at);
      this.#tools.set(name, tools ?? []);
      if (tools === undefined) this.#faulty.add(name);
      if (named && tools !== undefined) groups.push(Object.freeze({ name, tools, at }));
    }
    return groups;
  }

  #groupName(name: string, path: DocumentPath): boolean {
    const suggestion = name.replace(/^@+/, "");
    if (suggestion !== name) {
      this.#faulty.add(suggestion); // what refers to it is right, only the definition is not
      const message = `the group name ${quoted(name)} begins with \`@\`: the \`@\` belongs to references, leave it out here`;
      this.#reading.faults.error("bad_name", message, path, { at: "key", suggestion });
      return false;
    }
    const message = /[\s@*]/.test(name)
      ? `the group name ${quoted(name)} holds white space, \`@\` or \`*\`: take it out`
      : checkName("the group name", name);
    if (message !== undefined) this.#reading.faults.error("bad_name", message, path, { at: "key" });
    return message === undefined;
  }

  /** `undefined` when something in the group is a fault. */
  #groupTools(node: PolicyTree, path: DocumentPath): readonly string[] | undefined {
    const texts = this.#reading.texts(node, path, "a tool group");
    if (texts === undefined) return undefined;
    let sound = Array.isArray(node) ? texts.length === node.length : texts.length === 1;
    for (const item of texts) {
      if (groupOf(item.text) !== undefined) {
        const message = `a group holds tools, not the group ${quoted(item.text)}: list its tools here`;
        this.#reading.faults.error("group_in_group", message, item.path);
        sound = false;
      } else if (!this.#pattern(item.text, item.path, "value")) sound = false;
    }
    return sound ? Object.freeze(texts.map(({ text }) => text)) : undefined;
  }

  #pattern(text: string, path: DocumentPath, at: "key" | "value"): boolean {
    const parsed = parseToolPattern(text);
    if (!parsed.ok) this.#reading.faults.error("bad_tool", parsed.message, path, { at });
    return parsed.ok;
  }

  #groupReference(name: string, path: DocumentPath, at: "key" | "value"): boolean {
    if (this.#faulty.has(name)) return false;
    const tools = this.#tools.get(name);
    if (tools !== undefined && tools.length > 0) return true;
    if (tools !== undefined) {
      const message = `the group ${quoted(`@${name}`)} is empty: give it tools or take the reference out`;
      this.#reading.faults.error("empty_group", message, path, { at });
      return false;
    }
    const near = this.#reading.faults.isFull ? undefined : suggestWord(name, this.#tools.keys());
    const suggestion = near === undefined ? undefined : `@${near}`;
    const hint =
      suggestion === undefined
        ? "define it in `metadata.tool_groups`"
        : `did you mean ${quoted(suggestion)}?`;
    const message = `the group ${quoted(`@${name}`)} is not defined: ${hint}`;
    this.#reading.faults.error("unknown_group", message, path, { at, suggestion });
    return false;
  }
}
