import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { Webhook, WebhookKey, WebhookRecord } from "@skep/core/workspace/webhook.ts";
import type { Request } from "./request.ts";

/**
 * Where the rules of workspaces may post to. Each change raises the workspace's `rulesVersion`, so
 * that its host asks for them anew.
 */
export interface WebhookStore {
  /**
   * Records one, or replaces the one of its name.
   * @throws SkepError `not_found` `WORKSPACE_NOT_FOUND`, `failed_precondition` `WORKSPACE_DELETED`,
   * `resource_exhausted` `TOO_MANY_WEBHOOKS`, `aborted` (key used for another request).
   */
  putWebhook(
    key: WebhookKey,
    target: Pick<WebhookRecord, "url" | "secret">,
    request: Request,
    now: number,
  ): Promise<Webhook>;
  /** @throws as `putWebhook`, and SkepError `not_found` `WEBHOOK_NOT_FOUND`. */
  deleteWebhook(key: WebhookKey, request: Request, now: number): Promise<void>;
  /** By name, with their secrets; none where there is no such workspace. */
  loadWebhooks(workspaceId: WorkspaceId): Promise<readonly WebhookRecord[]>;
}
