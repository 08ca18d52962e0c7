import { createHash, timingSafeEqual } from "node:crypto";

const MARK = "sha256:";

/**
 * What is kept of a secret that programs show: enough to know it again. `scope` is whose secret it
 * is, so that equal secrets of two owners are kept as two digests. It is fast, because every
 * connection asks; a secret that people could guess needs more.
 */
export function digestSecret(scope: string, secret: string): string {
  return MARK + createHash("sha256").update(`${scope}\0${secret}`).digest("base64url");
}

/** Whether the text has the form of a digest: as a secret it would be taken for one. */
export function isDigest(text: string): boolean {
  return text.startsWith(MARK);
}

/** Whether this is the secret of which `kept` is the digest, or which `kept` itself is. */
export function isSecret(scope: string, kept: string, given: string): boolean {
  if (kept === "") return false;
  const digest = isDigest(kept) ? kept : digestSecret(scope, kept);
  const [known, shown] = [Buffer.from(digest), Buffer.from(digestSecret(scope, given))];
  return known.length === shown.length && timingSafeEqual(known, shown);
}
