import { type DocumentPath, type PolicyTree, quoted, suggestWord, type TreeReading } from "d2-core";
import { expectationFields } from "./expectation-reading.js";
import { type Fields, isTreeList, isTreeMap, type Placed } from "./placed.js";
import { withNode } from "./plain-value.js";
import { ARGUMENT_COLUMN, aliasesOf, COLUMN_NAMES, EXPECTATION_KEYS } from "./test-keys.js";

/** A row of a table as the fields of a test of its own. */
export interface Row {
  readonly fields: Fields;
  readonly expected: Fields | undefined;
  readonly path: DocumentPath;
  /** Counted from 1. */
  readonly number: number;
}

/** Makes a test of every row: what the test says, and over it what the row says. */
export function rowsOf(fields: Fields, { node, path }: Placed, reading: TreeReading): readonly Row[] {
  const table = reading.mapping(node, path, "`table`");
  if (table === undefined) return [];
  const meant = reading.knownKeys(table, path, "a table", ["columns", "rows"]);
  const columns = readColumns(table.get("columns"), [...path, "columns"], reading);
  const rows = table.get("rows");
  if (rows === undefined) {
    if (!meant.has("rows"))
      reading.faults.error("missing_rows", "a table needs `rows`: write a list of them", path);
    return [];
  }
  return (reading.list(rows, [...path, "rows"], "`rows`") ?? []).flatMap((row, index) => {
    const place = [...path, "rows", index];
    const cells = readCells(row, place, columns, reading);
    return cells === undefined
      ? []
      : { ...withCells(fields, cells, reading), path: place, number: index + 1 };
  });
}

interface Column {
  readonly name: string;
  readonly known: boolean;
}

function readColumns(
  node: PolicyTree | undefined,
  path: DocumentPath,
  reading: TreeReading,
): readonly Column[] | undefined {
  if (node === undefined) return undefined;
  const columns = reading.texts(node, path, "`columns`");
  const seen = new Set<string>();
  return columns?.map(({ text, path: place }) => {
    if (seen.has(text)) {
      const message = `the column ${quoted(text)} is there twice: keep one of them`;
      reading.faults.error("duplicate_column", message, place);
    }
    seen.add(text);
    return { name: text, known: checkColumn(text, place, "value", reading) };
  });
}

function checkColumn(name: string, path: DocumentPath, at: "key" | "value", reading: TreeReading): boolean {
  if (name.startsWith(ARGUMENT_COLUMN) && !name.split(".").includes("")) return true;
  if (COLUMN_NAMES.some((known) => known === name)) return true;
  const suggestion = suggestWord(name, COLUMN_NAMES, aliasesOf(COLUMN_NAMES));
  const hint =
    suggestion === undefined
      ? "use a key of a test, or `args.` and a path"
      : `did you mean \`${suggestion}\`?`;
  const message = `${quoted(name)} is not a column of a table: ${hint}`;
  reading.faults.error("unknown_column", message, path, { at, suggestion });
  return false;
}

/** The cells of a row by column: a list goes by `columns`, a mapping by its keys. */
function readCells(
  row: PolicyTree,
  path: DocumentPath,
  columns: readonly Column[] | undefined,
  reading: TreeReading,
): Fields | undefined {
  if (isTreeMap(row)) {
    const cells = [...row].map(([name, node]) => [name, { node, path: [...path, name] }] as const);
    return new Map(cells.filter(([name, cell]) => checkColumn(name, cell.path, "key", reading)));
  }
  const cells = reading.list(row, path, "a row");
  if (cells === undefined) return undefined;
  if (columns === undefined) {
    reading.faults.error(
      "missing_columns",
      "rows that are lists need `columns`: name them, or write mappings",
      path,
    );
    return undefined;
  }
  if (cells.length !== columns.length) {
    const message = `the row has ${cells.length} cells for ${columns.length} columns: give each column one`;
    reading.faults.error("wrong_length", message, path);
    return undefined;
  }
  const named = columns.map(
    ({ name }, index) => [name, { node: cells[index] ?? null, path: [...path, index] }] as const,
  );
  return new Map(named.filter((_, index) => columns[index]?.known));
}

function withCells(test: Fields, cells: Fields, reading: TreeReading): Pick<Row, "fields" | "expected"> {
  const fields = new Map(test);
  const said = new Map<string, Placed>();
  for (const [name, cell] of cells) {
    if (name.startsWith(ARGUMENT_COLUMN)) putArgument(fields, name, cell, reading);
    else if (!isExpectation(name)) fields.set(name, cell);
    // `value` may be expected to be null; of the others nothing is said then.
    else if (cell.node !== null || name.startsWith("value")) said.set(name, cell);
  }
  const whole = fields.get("expect");
  const around = whole === undefined || whole.node === null ? [] : expectationFields(whole, reading);
  const expected = new Map([...around, ...said]);
  return { fields, expected: expected.size === 0 ? undefined : expected };
}

function isExpectation(name: string): boolean {
  return EXPECTATION_KEYS.some((key) => key === name);
}

function putArgument(fields: Map<string, Placed>, name: string, cell: Placed, reading: TreeReading): void {
  const args = fields.get("args");
  if (args !== undefined && isTreeList(args.node)) {
    const message = "columns of `args.` need `args` to be a mapping, not a list: name the arguments";
    reading.faults.error("wrong_type", message, args.path);
    return;
  }
  const keys = name.slice(ARGUMENT_COLUMN.length).split(".");
  fields.set("args", { node: withNode(args?.node ?? null, keys, cell.node), path: cell.path });
}
