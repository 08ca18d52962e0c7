/** How long a freed domain is kept for its tenant, where the operator says nothing. */
export const KEEP_DOMAINS_MS = 24 * 3_600_000;
