import { create, toJson } from "@bufbuild/protobuf";
import type { Webhook } from "@skep/core/workspace/webhook.ts";
import { WebhookSchema } from "../../gen/skep/v1/webhook_service_pb.ts";
import { webhookFromProto, webhookToProto } from "../webhook.ts";
import type { AnswerCodec } from "./answer.ts";
import { ENUMS, objectOf, readMessage, STORED_VERSION, versionOf } from "./version.ts";

const WHAT = "A webhook";

/** Answers that are a webhook, as it was shown: they keep no secret. */
export const webhookAnswer: AnswerCodec<Webhook> = {
  encode: webhook => ({
    version: STORED_VERSION,
    webhook: toJson(WebhookSchema, create(WebhookSchema, webhookToProto(webhook)), ENUMS),
  }),
  decode: json => {
    const stored = objectOf(json, WHAT);
    versionOf(stored, WHAT);
    return webhookFromProto(readMessage(WebhookSchema, stored["webhook"] ?? null, WHAT));
  },
};
