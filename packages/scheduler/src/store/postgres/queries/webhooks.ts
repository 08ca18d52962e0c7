import { emptyAnswer } from "@skep/api/codec/stored/answer.ts";
import { webhookAnswer } from "@skep/api/codec/stored/webhook.ts";
import {
  MOST_WEBHOOKS,
  refuseWebhook,
  shownWebhook,
  type Webhook,
  type WebhookKey,
  type WebhookRecord,
} from "@skep/core/workspace/webhook.ts";
import { refuseWorkspace } from "@skep/core/workspace/record.ts";
import { refuse } from "../../refusals.ts";
import type { Request } from "../../request.ts";
import type { WebhookStore } from "../../webhook-store.ts";
import { ask, type Queryable } from "../sql.ts";
import { mutation, onceByKey, recordParts, recordValues } from "./request.ts";

const READ = {
  name: "read-webhook",
  text: `SELECT w.desired, (SELECT count(*) FROM workspace_webhooks WHERE workspace_id = $1) AS count,
    EXISTS (SELECT FROM workspace_webhooks WHERE workspace_id = $1 AND name = $2) AS known
  FROM workspaces w WHERE w.id = $1`,
};

const RAISED = "raised AS (UPDATE workspaces SET rules_version = rules_version + 1 WHERE id = $1 RETURNING id)";

const WRITE = {
  name: "write-webhook",
  text: `
WITH ${RAISED},
written AS (INSERT INTO workspace_webhooks (workspace_id, name, url, secret, created_at, created_by)
  SELECT id, $2, $3, $4, $5::bigint, $6 FROM raised
  ON CONFLICT (workspace_id, name) DO UPDATE SET url = excluded.url, secret = excluded.secret,
    created_at = excluded.created_at, created_by = excluded.created_by),
${recordParts(7, "EXISTS (SELECT FROM raised)")}
SELECT id FROM raised`,
};

const DELETE = {
  name: "delete-webhook",
  text: `
WITH deleted AS (DELETE FROM workspace_webhooks WHERE workspace_id = $1 AND name = $2 RETURNING name),
raised AS (UPDATE workspaces SET rules_version = rules_version + 1
  WHERE id = $1 AND EXISTS (SELECT FROM deleted) RETURNING id),
${recordParts(3, "EXISTS (SELECT FROM deleted)")}
SELECT name FROM deleted`,
};

const LOAD = {
  name: "load-webhooks",
  text: `SELECT workspace_id AS "workspaceId", name, url, secret, created_at AS "createdAt", created_by AS "createdBy"
  FROM workspace_webhooks WHERE workspace_id = $1 ORDER BY name`,
};

/** See `WebhookStore`. */
export function createWebhooks(db: Queryable): WebhookStore {
  return {
    putWebhook: (key, target, request, now) => putWebhook(db, key, target, request, now),
    deleteWebhook: async (key, request, now) => {
      const one = mutation(request, "webhook.delete", nameOf(key), {}, now);
      await onceByKey(db, one, emptyAnswer, async () => {
        await read(db, key);
        const deleted = await ask(db, DELETE, [key.workspaceId, key.name, ...recordValues(one, null)]);
        if (deleted.length === 0) throw refuseWebhook.missing(key);
      });
    },
    loadWebhooks: workspaceId => ask<WebhookRecord & Record<string, unknown>>(db, LOAD, [workspaceId]),
  };
}

/** Of several at the same time some more than the bound may come in; it keeps no exact count. */
async function putWebhook(
  db: Queryable,
  key: WebhookKey,
  target: Pick<WebhookRecord, "url" | "secret">,
  request: Request,
  now: number,
): Promise<Webhook> {
  const one = mutation(request, "webhook.put", nameOf(key), target, now);
  return onceByKey(db, one, webhookAnswer, async () => {
    const { count, known } = await read(db, key);
    if (!known && count >= MOST_WEBHOOKS) throw refuseWebhook.tooMany(key);
    const shown = shownWebhook({ ...key, ...target, createdAt: now, createdBy: request.actor });
    const values = [key.workspaceId, key.name, target.url, target.secret, now, request.actor];
    const written = await ask(db, WRITE, [...values, ...recordValues(one, webhookAnswer.encode(shown))]);
    if (written.length === 0) throw refuse.noWorkspace(key.workspaceId);
    return shown;
  });
}

interface Known {
  readonly desired: string;
  readonly count: number;
  readonly known: boolean;
}

async function read(db: Queryable, { workspaceId, name }: WebhookKey): Promise<Known> {
  const [row] = await ask<Known & Record<string, unknown>>(db, READ, [workspaceId, name]);
  if (row === undefined) throw refuse.noWorkspace(workspaceId);
  if (row.desired === "deleted") throw refuseWorkspace.beingDeleted(workspaceId);
  return row;
}

function nameOf({ workspaceId, name }: WebhookKey): string {
  return `${workspaceId} ${name}`;
}
