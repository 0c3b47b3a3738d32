import { join } from "node:path";
import ts from "typescript";
import { type Block, root } from "./blocks.js";

/** Compiles blocks as the modules of a project that has the packages installed; gives what the compiler objects to. */
export function compileBlocks(blocks: readonly Block[]): readonly string[] {
  const { config } = ts.readConfigFile(join(root, "tsconfig.base.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const settings: ts.CompilerOptions = {
    ...options,
    composite: false,
    declaration: false,
    declarationMap: false,
    noEmit: true,
    noUnusedLocals: false,
    noUnusedParameters: false,
    types: ["node"],
  };
  // In a folder of the root that is never made, so that imports find the root's `node_modules`.
  const files = new Map(
    blocks.map((block, at) => [join(root, "docs", `block-${at}.ts`), { block, text: moduleOf(block) }]),
  );
  const host = ts.createCompilerHost(settings);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path)?.text ?? readFile(path);
  const { getSourceFile } = host;
  host.getSourceFile = (path, language, ...rest) => {
    const own = files.get(path);
    return own === undefined
      ? getSourceFile(path, language, ...rest)
      : ts.createSourceFile(path, own.text, language);
  };
  const program = ts.createProgram([...files.keys()], settings, host);
  return [...files].flatMap(([path, { block }]) => {
    const source = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(
      ({ messageText }) => `${block.place}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
    );
  });
}

/** With what is given in front, and `export {}` so that a block without imports is a module too. */
const moduleOf = ({ given, text }: Block): string => `${given}${text}export {};\n`;
