import { SkepError } from "../error.ts";
import type { WorkspaceId } from "./connector.ts";

/** A webhook of a workspace. */
export interface WebhookKey {
  readonly workspaceId: WorkspaceId;
  /** What rules say. */
  readonly name: string;
}

/** A webhook as people are shown it. */
export interface Webhook extends WebhookKey {
  /** Without its path, which is often a secret. */
  readonly address: string;
  readonly isSigned: boolean;
  /** ms since 1970. */
  readonly createdAt: number;
  readonly createdBy: string;
}

/** A webhook as it is recorded, with its secrets. */
export interface WebhookRecord extends Omit<Webhook, "address" | "isSigned"> {
  readonly url: string;
  /** Signs what is posted; empty for no signature. */
  readonly secret: string;
}

/** Most that a workspace may have. */
export const MOST_WEBHOOKS = 50;

/** What people are shown of it. */
export function shownWebhook({ url, secret, ...rest }: WebhookRecord): Webhook {
  const [, origin = ""] = /^([a-z]+:\/\/[^/?#]*)/i.exec(url) ?? [];
  return { ...rest, address: origin, isSigned: secret !== "" };
}

/** Why a webhook is refused. */
export const refuseWebhook = {
  missing: ({ workspaceId, name }: WebhookKey): SkepError =>
    new SkepError(
      "not_found",
      "WEBHOOK_NOT_FOUND",
      `Workspace ${workspaceId} has no webhook ${name}; \`skep workspace webhook list ${workspaceId}\` shows those that it has.`,
      { details: { workspaceId, name } },
    ),
  tooMany: ({ workspaceId }: WebhookKey): SkepError =>
    new SkepError(
      "resource_exhausted",
      "TOO_MANY_WEBHOOKS",
      `Workspace ${workspaceId} has ${MOST_WEBHOOKS} webhooks already; delete one first.`,
      { details: { workspaceId } },
    ),
} as const;
