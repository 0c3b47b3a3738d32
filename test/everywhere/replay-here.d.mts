/** Replays a log; the result as canonical JSON. */
export function replayHere(log: string, policies: Readonly<Record<string, string>>): Promise<string>;
