import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { WebhookSchema, type Webhook } from "@skep/api/gen/skep/v1/webhook_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { Io } from "../io.ts";
import { listJson, messageJson, print } from "../output/print.ts";
import { renderTable } from "../output/table.ts";
import { duration } from "../output/words.ts";
import { act } from "../session/act.ts";
import { newKey } from "../session/change.ts";
import { readText } from "../session/document-file.ts";
import type { Session } from "../session/open.ts";

interface AddOptions {
  readonly urlFile?: string;
  readonly secretFile?: string;
  readonly unsigned?: boolean;
}

/** `skep workspace webhook`: where the rules of a workspace may post to. */
export function setupWebhooks(workspace: Command, io: Io): void {
  const command = workspace.command("webhook").summary("Say where the rules of a workspace may post to.");
  const add = command
    .command("add")
    .summary("Register an address, or replace the one of its name.")
    .argument("<workspace>", "whose it is")
    .argument("<name>", "what rules say")
    .argument("[url]", "where it goes: https and somewhere in the Internet")
    .option("--url-file <FILE>", "a file that has the address, where its path is a secret (`-` for standard input)")
    .option("--secret-file <FILE>", "a file that has the secret by which it is signed; else one is made")
    .option("--unsigned", "sign nothing");
  act(add, io, async (session, options: AddOptions, workspaceId: string, name: string, given: string | undefined) => {
    const url = urlOf(io, given, options.urlFile);
    const { secret, isMade } = secretOf(io, options);
    const { webhook } = await session.api.webhooks.putWebhook({
      ...{ workspaceId, name, url, secret, idempotencyKey: newKey() },
    });
    if (webhook === undefined) return;
    print(
      session,
      () => ({ webhook: messageJson(WebhookSchema, webhook), ...(isMade ? { secret } : {}) }),
      () =>
        `${table(session, [webhook])}${isMade ? `\nIt is signed by ${secret}, which is shown now and never again.\n` : ""}`,
    );
  });
  const list = command.command("list").alias("ls").summary("List them.").argument("<workspace>", "whose they are");
  act(list, io, async (session, _options: object, workspaceId: string) => {
    const { webhooks } = await session.api.webhooks.listWebhooks({ workspaceId });
    print(
      session,
      () => listJson(WebhookSchema, webhooks),
      () => table(session, webhooks),
    );
  });
  const remove = command
    .command("rm")
    .summary("Forget one.")
    .argument("<workspace>", "whose it is")
    .argument("<name>", "what rules say");
  act(remove, io, async (session, _options: object, workspaceId: string, name: string) => {
    await session.api.webhooks.deleteWebhook({ workspaceId, name, idempotencyKey: newKey() });
    print(
      session,
      () => ({}),
      () => `${name}: is deleted; rules that say it fail, which their counts show\n`,
    );
  });
}

function urlOf(io: Io, given: string | undefined, file: string | undefined): string {
  const url = file === undefined ? given : readText(io, file).trim();
  if (url !== undefined && url !== "" && (given === undefined || file === undefined)) return url;
  throw refused("Name the address, or the file that has it by `--url-file FILE`.");
}

function secretOf(io: Io, { secretFile, unsigned }: AddOptions): { readonly secret: string; readonly isMade: boolean } {
  if (unsigned === true && secretFile !== undefined) throw refused("Say --unsigned or --secret-file, not both.");
  if (unsigned === true) return { secret: "", isMade: false };
  if (secretFile === undefined) return { secret: `whsec_${randomBytes(24).toString("base64url")}`, isMade: true };
  const secret = readText(io, secretFile).trim();
  if (secret === "") throw refused(`The file ${secretFile} has no secret in it.`);
  return { secret, isMade: false };
}

function table(session: Session, webhooks: readonly Webhook[]): string {
  const now = session.io.now();
  return renderTable(
    ["NAME", "ADDRESS", "SIGNED", "AGE"].map(heading => ({ heading })),
    webhooks.map(({ name, address, isSigned, createdAt }) => [
      ...[name, address, isSigned ? "yes" : "no"],
      createdAt === undefined ? "?" : duration(now - timestampMs(createdAt)),
    ]),
  );
}

function refused(message: string): SkepError {
  return new SkepError("invalid_argument", "WEBHOOK_UNSAID", message);
}
