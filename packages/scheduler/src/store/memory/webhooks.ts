import { emptyAnswer } from "@skep/api/codec/stored/answer.ts";
import { webhookAnswer } from "@skep/api/codec/stored/webhook.ts";
import { refuseWorkspace, type WorkspaceRecord } from "@skep/core/workspace/record.ts";
import {
  MOST_WEBHOOKS,
  refuseWebhook,
  shownWebhook,
  type WebhookKey,
  type WebhookRecord,
} from "@skep/core/workspace/webhook.ts";
import { inOrder, type Records } from "../memory-records.ts";
import { refuse } from "../refusals.ts";
import type { WebhookStore } from "../webhook-store.ts";
import { once } from "./once.ts";

/** Passes a call of the store's on, as the network between would. */
type Pass = <T>(call: string, run: () => T) => Promise<T>;

/** See `WebhookStore`. */
export function createWebhooks(records: Records, pass: Pass): WebhookStore {
  const { webhooks } = records;
  return {
    putWebhook: (key, target, request, now) =>
      pass("putWebhook", () =>
        once(records, request, `webhook.put ${keyOf(key)}`, target, now, webhookAnswer, audit => {
          const workspace = requireWorkspace(records, key);
          const others = ofWorkspace(records, key.workspaceId).filter(one => one.name !== key.name);
          if (!webhooks.has(keyOf(key)) && others.length >= MOST_WEBHOOKS) throw refuseWebhook.tooMany(key);
          const record = { ...key, ...target, createdAt: now, createdBy: request.actor };
          webhooks.set(keyOf(key), record);
          raise(records, workspace);
          audit();
          return shownWebhook(record);
        }),
      ),
    deleteWebhook: (key, request, now) =>
      pass("deleteWebhook", () =>
        once(records, request, `webhook.delete ${keyOf(key)}`, {}, now, emptyAnswer, audit => {
          const workspace = requireWorkspace(records, key);
          if (!webhooks.delete(keyOf(key))) throw refuseWebhook.missing(key);
          raise(records, workspace);
          audit();
        }),
      ),
    loadWebhooks: workspaceId =>
      pass("loadWebhooks", () => inOrder(ofWorkspace(records, workspaceId), one => one.name)),
  };
}

function keyOf({ workspaceId, name }: WebhookKey): string {
  return `${workspaceId} ${name}`;
}

function ofWorkspace(records: Records, workspaceId: string): readonly WebhookRecord[] {
  return [...records.webhooks.values()].filter(one => one.workspaceId === workspaceId);
}

function requireWorkspace(records: Records, { workspaceId }: WebhookKey): WorkspaceRecord {
  const workspace = records.workspaces.get(workspaceId);
  if (workspace === undefined) throw refuse.noWorkspace(workspaceId);
  if (workspace.desired === "deleted") throw refuseWorkspace.beingDeleted(workspaceId);
  return workspace;
}

function raise(records: Records, workspace: WorkspaceRecord): void {
  records.workspaces.set(workspace.id, { ...workspace, rulesVersion: workspace.rulesVersion + 1 });
}
