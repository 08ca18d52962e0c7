import { KEEP_DOMAINS_MS } from "../store/keep-domains.ts";

/** How long history is kept. */
export interface Retention {
  /** Answers to requests that carried an idempotency key. */
  readonly keysMs: number;
  /** Decisions; they are for people, and nothing is decided by them. */
  readonly decisionsMs: number;
  /** The audit log. */
  readonly auditMs: number;
  /** Domains that nothing routes any more, for the tenant that had them. */
  readonly domainsMs: number;
  /** Releases of a deployment, the wanted one among them. */
  readonly releases: number;
}

const DAY_MS = 24 * 3_600_000;

/** The defaults that the README documents. */
export const DEFAULT_RETENTION: Retention = {
  keysMs: DAY_MS,
  decisionsMs: 14 * DAY_MS,
  auditMs: 90 * DAY_MS,
  domainsMs: KEEP_DOMAINS_MS,
  releases: 10,
};
