/** What the tests read of an OpenAPI operation. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  /** One of these opens it; empty: it is open to anybody. */
  readonly scopes: readonly string[];
  readonly pathNames: readonly string[];
  readonly queryNames: readonly string[];
  readonly hasBody: boolean;
  /** Every status that the document lists. */
  readonly statuses: readonly number[];
}

interface Documented {
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, object>>;
}

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Documented>>>>;
}

export function operationsOf({ paths }: OpenApiDocument): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, documented]): Operation => {
      const { security, parameters = [], requestBody, responses } = documented;
      const names = (place: string) => parameters.filter((it) => it.in === place).map(({ name }) => name);
      return {
        method: method.toUpperCase(),
        path,
        scopes: security.flatMap((each) => Object.values(each).flat()),
        pathNames: names("path"),
        queryNames: names("query"),
        hasBody: requestBody !== undefined,
        statuses: Object.keys(responses).map(Number).filter(Number.isInteger),
      };
    }),
  );
}
