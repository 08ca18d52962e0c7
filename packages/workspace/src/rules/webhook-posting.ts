import { createHash, createHmac } from "node:crypto";
import { SkepError } from "@skep/core/error.ts";
import type { Effect } from "@skep/core/rules/evaluate.ts";
import { webhookIssues } from "@skep/server/webhook-address.ts";
import type { Message } from "../message.ts";
import { asItCame } from "./decode.ts";

/** Larger ones are refused: a message may have 1 MB, and many of them wait at once. */
const MOST_BODY = 256 * 1024;

/** An address that rules may post to, by its name. */
export interface WebhookTarget {
  readonly url: string;
  /** Signs what is posted; `undefined` for no signature. */
  readonly secret: string | undefined;
}

/** What is posted, the same in each attempt. */
export interface Posting {
  readonly url: URL;
  readonly secret: string | undefined;
  /** By which a receiver knows what it has had already. */
  readonly id: string;
  readonly body: Buffer;
}

/** @throws SkepError where the target or the message is none that may be posted. */
export function prepare(
  name: string,
  target: WebhookTarget | undefined,
  message: Message,
  effect: Effect,
  allowedHosts: readonly string[],
): Posting {
  if (target === undefined)
    throw new SkepError(
      "failed_precondition",
      "WEBHOOK_UNKNOWN",
      `webhook ${name}: the workspace has none of this name`,
    );
  const [wrong] = webhookIssues(target.url, allowedHosts);
  if (wrong !== undefined)
    throw new SkepError("invalid_argument", "WEBHOOK_ADDRESS", `webhook ${name}: ${wrong.problem}; ${wrong.advice}`);
  const body = Buffer.from(JSON.stringify(bodyOf(message, effect)));
  if (body.length > MOST_BODY) {
    const sentence = `webhook ${name}: the message makes ${body.length} bytes, more than ${MOST_BODY}; store it instead`;
    throw new SkepError("invalid_argument", "WEBHOOK_TOO_LARGE", sentence);
  }
  const { ruleId, version, because } = effect;
  const id = createHash("sha256")
    .update(JSON.stringify([message.key, ruleId, version, because]))
    .digest("hex");
  return { url: new URL(target.url), secret: target.secret, id, body };
}

function bodyOf({ topic, payload, receivedAt }: Message, { ruleId, version, because }: Effect) {
  const { workspaceId, deviceId, category, type } = topic;
  const value = asItCame(payload);
  const content = value instanceof Uint8Array ? { base64: Buffer.from(value).toString("base64") } : { value };
  const at = new Date(receivedAt).toISOString();
  return { workspace: workspaceId, device: deviceId, category, type, at, rule: ruleId, version, because, ...content };
}

/** The headers of one attempt. */
export function headersOf({ secret, id, body }: Posting, now: number): Readonly<Record<string, string>> {
  const plain = { "content-type": "application/json", "user-agent": "skep-webhook/1", "skep-delivery": id };
  if (secret === undefined) return plain;
  const seconds = Math.floor(now / 1_000);
  const signature = createHmac("sha256", secret).update(`${seconds}.`).update(body).digest("hex");
  return { ...plain, "skep-signature": `t=${seconds},v1=${signature}` };
}
