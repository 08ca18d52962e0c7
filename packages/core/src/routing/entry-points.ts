/** Where the edge takes requests from outside, as its static configuration names it. */
export const EDGE_ENTRY_POINTS: readonly string[] = ["web", "websecure"];
