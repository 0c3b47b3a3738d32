import { Problem } from "./problem.js";
import type { RouteDescription } from "./route.js";

interface Row {
  readonly path: RegExp;
  readonly method: string;
}

/** Tells a path that does not exist from a method that a path does not have. */
export class RouteTable {
  readonly #rows: readonly Row[];

  /** @throws Error when two routes have the same method and path */
  constructor(routes: readonly RouteDescription[]) {
    const seen = new Set<string>();
    this.#rows = routes.map(({ method, path }) => {
      const shape = `${method} ${path.replaceAll(/\{\w+\}/g, "{}")}`;
      if (seen.has(shape)) throw new Error(`there are two routes \`${shape}\``);
      seen.add(shape);
      const parts = path.split(/\{\w+\}/).map((part) => part.replaceAll(/[.*+?^$()[\]\\|]/g, "\\$&"));
      return { method, path: new RegExp(`^${parts.join("[^/]+")}$`) };
    });
  }

  /** What to answer where no route did. */
  refusal(path: string): Problem {
    const methods = this.#rows.filter((row) => row.path.test(path)).map(({ method }) => method);
    if (methods.length === 0) {
      return new Problem(404, "not_found", { detail: "there is nothing at this address" });
    }
    if (methods.includes("GET")) methods.push("HEAD");
    return new Problem(405, "method_not_allowed", {
      detail: "this address has other methods: see `Allow`",
      headers: { Allow: methods.sort().join(", ") },
    });
  }
}
