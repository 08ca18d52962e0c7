import type { ServiceImpl } from "@connectrpc/connect";
import { webhookToProto } from "@skep/api/codec/webhook.ts";
import type { WebhookService } from "@skep/api/gen/skep/v1/webhook_service_pb.ts";
import { SkepError, type Issue } from "@skep/core/error.ts";
import { shownWebhook } from "@skep/core/workspace/webhook.ts";
import { webhookIssues } from "@skep/server/webhook-address.ts";
import { refuse } from "../store/refusals.ts";
import { changeRequest } from "./caller.ts";
import type { ApiDeps } from "./deps.ts";

const LEAST_SECRET = 16;

/** Webhooks of workspaces. */
export function webhookHandlers(deps: ApiDeps): ServiceImpl<typeof WebhookService> {
  const { store, clock, wake } = deps;
  return {
    putWebhook: async (request, context) => {
      const { workspaceId, name, url, secret } = request;
      accept(url, secret, deps.webhookHosts);
      const by = changeRequest(request, context);
      const webhook = await store.putWebhook({ workspaceId, name }, { url, secret }, by, clock.now());
      wake(`workspace ${workspaceId}: webhook ${name} is registered`);
      return { webhook: webhookToProto(webhook) };
    },
    listWebhooks: async ({ workspaceId }) => {
      const found = await store.loadWebhooks(workspaceId);
      if (found.length === 0 && (await store.getWorkspace(workspaceId)) === undefined)
        throw refuse.noWorkspace(workspaceId);
      return { webhooks: found.map(one => webhookToProto(shownWebhook(one))) };
    },
    deleteWebhook: async (request, context) => {
      const { workspaceId, name } = request;
      await store.deleteWebhook({ workspaceId, name }, changeRequest(request, context), clock.now());
      wake(`workspace ${workspaceId}: webhook ${name} is deleted`);
      return {};
    },
  };
}

/** @throws SkepError `invalid_argument` `WEBHOOK_INVALID`; it repeats no address and no secret. */
function accept(url: string, secret: string, allowedHosts: readonly string[]): void {
  const short: readonly Issue[] =
    secret === "" || secret.length >= LEAST_SECRET
      ? []
      : [{ path: "secret", problem: `it has ${secret.length} characters`, advice: `use ${LEAST_SECRET} or more` }];
  const issues = [...webhookIssues(url, allowedHosts), ...short];
  const [first] = issues;
  if (first === undefined) return;
  const message = `${first.path}: ${first.problem}; ${first.advice}.`;
  throw new SkepError("invalid_argument", "WEBHOOK_INVALID", message, { issues });
}
