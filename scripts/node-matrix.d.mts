export const NODE_TESTS: readonly string[];
/** The Node releases of tools/nodes that are there. */
export function nodes(): { readonly major: number; readonly node: string }[];
