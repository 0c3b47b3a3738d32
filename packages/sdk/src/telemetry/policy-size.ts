/** How much a policy says. */
export interface PolicySize {
  /** Distinct tools, prefixes and groups in permissions. */
  readonly tools: number;
  readonly roles: number;
  readonly sequenceRules: number;
}

/** The parts of a policy document that are counted. */
interface CountedDocument {
  readonly policies: readonly {
    readonly roles: readonly string[];
    readonly permissions: readonly { readonly tool: string }[];
    readonly sequence?: { readonly rules: readonly unknown[] };
  }[];
}

export function sizeOf({ policies }: CountedDocument): PolicySize {
  const tools = new Set(policies.flatMap(({ permissions }) => permissions.map(({ tool }) => tool)));
  const roles = new Set(policies.flatMap((policy) => policy.roles));
  const sequenceRules = policies.reduce((sum, { sequence }) => sum + (sequence?.rules.length ?? 0), 0);
  return { tools: tools.size, roles: roles.size, sequenceRules };
}
