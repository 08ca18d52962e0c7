import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Webhook } from "@skep/core/workspace/webhook.ts";
import type { Webhook as WebhookMessage, WebhookSchema } from "../gen/skep/v1/webhook_service_pb.ts";

/** A webhook as a message. */
export function webhookToProto({ createdAt, ...rest }: Webhook): MessageInitShape<typeof WebhookSchema> {
  return { ...rest, createdAt: timestampFromMs(createdAt) };
}

/** The webhook that a message shows. */
export function webhookFromProto(message: WebhookMessage): Webhook {
  const { workspaceId, name, address, isSigned, createdAt, createdBy } = message;
  return {
    ...{ workspaceId, name, address, isSigned, createdBy },
    createdAt: createdAt === undefined ? 0 : timestampMs(createdAt),
  };
}
