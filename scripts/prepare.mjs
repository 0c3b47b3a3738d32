// Installs and builds whatever is not there yet. Runs before `npm start`, `npm test` and the like, in a fresh clone
// too, so it may import nothing but Node's own modules; when there is nothing to do it is silent and quick.
//
//   node scripts/prepare.mjs                the packages and the examples
//   node scripts/prepare.mjs bench          those, and the benchmarks with their peers
//   node scripts/prepare.mjs tools/check    those, and the tools of that folder
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Folders beside the workspaces with a lock file of their own. Only those that need them pay for them. */
const EXTRAS = ["bench", "tools/browser", "tools/check", "tools/mutation", "tools/nodes"];

/** @param {string} path */
const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

/** @param {string} path */
function readText(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** @param {string} folder Absolute. */
const installStamp = (folder) => join(folder, "node_modules", ".d2-installed");

/**
 * What an install depends on: the lock file, and the machine that the native parts were chosen for. They are N-API, so
 * the version of Node does not matter.
 *
 * @param {string} folder
 */
function installKey(folder) {
  const lock = readFileSync(join(folder, "package-lock.json"));
  return createHash("sha256").update(lock).update(`${process.platform} ${process.arch}`).digest("hex");
}

/** @param {string} folder */
const isInstalled = (folder) => readText(installStamp(folder)) === installKey(folder);

/**
 * Whether `npm install` or `npm ci`, run by hand, has left just what the lock file asks for. npm notes what it
 * installed when it is through, so an interrupted install never looks like a whole one.
 *
 * @param {string} folder
 */
function isInstalledByHand(folder) {
  const noted = join(folder, "node_modules", ".package-lock.json");
  if (!existsSync(noted)) return false;
  const installed = readJson(noted).packages;
  return Object.entries(readJson(join(folder, "package-lock.json")).packages).every(([path, wanted]) => {
    if (!path.includes("node_modules/")) return true;
    const found = installed[path];
    if (found === undefined) return wanted.optional === true || wanted.devOptional === true;
    const present = wanted.link ? path : join(path, "package.json");
    return found.version === wanted.version && existsSync(join(folder, present));
  });
}

/** @param {string} folder */
function install(folder) {
  if (isInstalled(folder)) return;
  if (!isInstalledByHand(folder)) {
    console.error(`installing the locked packages of ${relative(root, folder) || "the workspace"} ...`);
    // `--include` because NODE_ENV=production would leave out the compiler.
    const flags = ["--include=dev", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"];
    npm(["ci", ...flags], folder);
  }
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  writeFileSync(installStamp(folder), installKey(folder));
}

/**
 * @param {string[]} args
 * @param {string} cwd
 */
function npm(args, cwd) {
  const cli = process.env["npm_execpath"];
  const [command, prefix] = cli?.endsWith(".js") ? [process.execPath, [cli]] : ["npm", []];
  run(command, [...prefix, ...args], cwd, command === "npm" && process.platform === "win32");
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 */
function run(command, args, cwd, shell = false) {
  // An outer npm hands its own prefix down, which would make this one work in the wrong folder.
  const { npm_config_local_prefix: _, npm_config_prefix: __, ...env } = process.env;
  // Everything goes to standard error: the output of the program that runs next stays its own.
  const { status, error } = spawnSync(command, args, { cwd, env, shell, stdio: ["ignore", 2, 2] });
  if (error !== undefined) throw error;
  if (status !== 0) {
    console.error(`\`${[command, ...args].join(" ")}\` failed in ${cwd}`);
    process.exit(status ?? 1);
  }
}

/**
 * @typedef {object} Project
 * @property {string} folder Absolute.
 * @property {string} sources Folder of the sources.
 * @property {string} output Folder of the compiled files; the same as `sources` for programs compiled in place.
 */

/**
 * The projects of the root `tsconfig.json`, and the extra one if any.
 *
 * @param {string[]} extras
 * @returns {Project[]}
 */
function projects(extras) {
  /** @type {{ path: string }[]} */
  const references = readJson(join(root, "tsconfig.json")).references;
  const compiled = extras.filter((extra) => existsSync(join(root, extra, "tsconfig.json")));
  return [...references.map((reference) => reference.path), ...compiled].map((path) => {
    const folder = join(root, path);
    const options = readJson(join(folder, "tsconfig.json")).compilerOptions;
    return { folder, sources: join(folder, options.rootDir), output: join(folder, options.outDir ?? ".") };
  });
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === "node_modules") return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** @param {Project} project */
function sourcesOf(project) {
  return filesBelow(project.sources).filter(
    (path) => path.endsWith(".ts") && (project.output !== project.sources || !path.endsWith(".d.ts")),
  );
}

/** @param {Project[]} all */
function buildKey(all) {
  const configs = all.flatMap(({ folder }) => [join(folder, "tsconfig.json"), join(folder, "package.json")]);
  const files = [join(root, "tsconfig.base.json"), ...configs, ...all.flatMap(sourcesOf)];
  const hash = createHash("sha256").update(installKey(root));
  for (const path of files) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`\n${path}\t${size}\t${mtimeMs}`);
  }
  return hash.digest("hex");
}

/**
 * The compiled file of every source.
 *
 * @param {Project} project
 */
function outputsOf(project) {
  return sourcesOf(project)
    .filter((path) => !path.endsWith(".d.ts"))
    .map((path) => join(project.output, relative(project.sources, path)).replace(/\.ts$/, ".js"));
}

/**
 * The compiler leaves the output of a deleted source where it is; it must not be packed.
 *
 * @param {Project} project
 */
function removeStaleOutputs(project) {
  if (project.output === project.sources) return;
  const stems = new Set(outputsOf(project).map((path) => path.replace(/\.js$/, "")));
  for (const path of filesBelow(project.output)) {
    const stem = path.replace(/\.(d\.ts|js)(\.map)?$/, "");
    if (stem !== path && !stems.has(stem)) rmSync(path);
  }
}

/** The bundle of each entry point of each package. */
function bundles() {
  return readdirSync(join(root, "packages")).flatMap((name) => {
    const folder = join(root, "packages", name);
    const targets = Object.values(readJson(join(folder, "package.json")).exports);
    return targets.filter((it) => typeof it === "object").map((it) => join(folder, it.default));
  });
}

/** @param {string[]} extras */
const buildStamp = (extras) =>
  join(root, "node_modules", ["", "d2-built", ...extras].join(".").replaceAll("/", "-"));

/** @param {string[]} extras */
function isBuilt(extras) {
  const all = projects(extras);
  return (
    readText(buildStamp(extras)) === buildKey(all) &&
    all.every((project) => outputsOf(project).every(existsSync)) &&
    bundles().every(existsSync)
  );
}

/** @param {string[]} extras */
function build(extras) {
  if (isBuilt(extras)) return;
  const all = projects(extras);
  // Taken before compiling: a file that changes meanwhile is compiled next time.
  const key = buildKey(all);
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const folders = all.map(({ folder }) => folder);
  run(process.execPath, [tsc, "-b", ...folders], root);
  // The compiler trusts its notes and does not see that an output was deleted.
  const incomplete = all.filter((project) => !outputsOf(project).every(existsSync));
  if (incomplete.length > 0) {
    run(process.execPath, [tsc, "-b", "--force", ...incomplete.map(({ folder }) => folder)], root);
  }
  all.forEach(removeStaleOutputs);
  run(process.execPath, [join(root, "scripts", "bundle.mjs")], root);
  writeFileSync(buildStamp(extras), key);
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/**
 * Two commands started side by side must not install into one folder at once.
 *
 * @param {() => void} work
 */
async function alone(work) {
  const lock = join(root, ".prepare-lock");
  const owner = join(lock, "pid");
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    await pause(200);
    // An owner that was killed leaves its lock behind, perhaps before it could write its name.
    const pid = Number(readText(owner) || Number.NaN);
    const { mtimeMs = Date.now() } = statSync(lock, { throwIfNoEntry: false }) ?? {};
    const abandoned = Number.isNaN(pid) ? Date.now() - mtimeMs > 5000 : !isAlive(pid);
    if (abandoned) rmSync(lock, { recursive: true, force: true });
  }
  writeFileSync(owner, String(process.pid));
  process.on("exit", () => rmSync(lock, { recursive: true, force: true }));
  work();
}

const extras = process.argv.slice(2);
const unknown = extras.filter((extra) => !EXTRAS.includes(extra));
if (unknown.length > 0) {
  console.error(`unknown folder \`${unknown.join("`, `")}\`: use ${EXTRAS.join(", ")}`);
  process.exit(2);
}
const folders = [root, ...extras.map((extra) => join(root, extra))];
if (!folders.every(isInstalled) || !isBuilt(extras)) {
  await alone(() => {
    folders.forEach(install);
    build(extras);
  });
}
