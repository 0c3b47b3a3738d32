import type {
  ExportAllDeclaration,
  ExportDefaultDeclaration,
  ExportNamedDeclaration,
  ModuleExportName,
  Node,
  TSExportAssignment,
} from "oxc-parser";
import { declarePattern } from "./declare.js";
import type { Scope, Written } from "./scope.js";
import type { Export } from "./source-module.js";

interface ExportNotes {
  readonly exports: Map<string, Export>;
  readonly stars: string[];
  readonly whole: Written[];
}

/** Notes what an `export` lets others have. */
export function collectExport(
  node: ExportNamedDeclaration | ExportAllDeclaration | ExportDefaultDeclaration | TSExportAssignment,
  scope: Scope,
  { exports, stars, whole }: ExportNotes,
): void {
  switch (node.type) {
    case "ExportAllDeclaration":
      if (node.exported === null) stars.push(node.source.value);
      else exports.set(textOf(node.exported), { is: "from", source: node.source.value, name: "*" });
      return;
    case "TSExportAssignment":
      whole.push({ node: node.expression, scope });
      return;
    case "ExportDefaultDeclaration": {
      const { declaration } = node;
      if (declaration.type === "TSInterfaceDeclaration") {
        exports.set("default", { is: "local", name: declaration.id.name });
      } else if ("id" in declaration && declaration.id !== null) {
        exports.set("default", { is: "local", name: declaration.id.name });
      } else {
        exports.set("default", { is: "value", value: { node: declaration, scope } });
      }
      return;
    }
    case "ExportNamedDeclaration": {
      for (const { local, exported } of node.specifiers) {
        const name = textOf(local);
        exports.set(
          textOf(exported),
          node.source === null ? { is: "local", name } : { is: "from", source: node.source.value, name },
        );
      }
      for (const name of declaredNames(node.declaration, scope)) exports.set(name, { is: "local", name });
    }
  }
}

function declaredNames(declaration: Node | null, scope: Scope): readonly string[] {
  if (declaration === null) return [];
  if (declaration.type === "VariableDeclaration") {
    const names: string[] = [];
    for (const { id } of declaration.declarations) {
      declarePattern(id, undefined, scope, (name) => names.push(name));
    }
    return names;
  }
  if (!("id" in declaration) || declaration.id === null) return [];
  return declaration.id.type === "Identifier" ? [declaration.id.name] : [];
}

function textOf(name: ModuleExportName): string {
  return name.type === "Literal" ? name.value : name.name;
}
