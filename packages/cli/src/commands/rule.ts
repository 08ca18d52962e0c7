import { Option, type Command } from "commander";
import type { JsonValue } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { RuleKind, WorkspaceRuleSchema, type WorkspaceRule } from "@skep/api/gen/skep/v1/rule_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { dryRun, type TriedMessage, type TriedStep } from "@skep/core/rules/dry-run.ts";
import { readRuleSet, type RuleSet } from "@skep/core/rules/rule-set.ts";
import type { Io } from "../io.ts";
import { enumWord } from "../output/enum-word.ts";
import { listJson, messageJson, print } from "../output/print.ts";
import { renderBlindRules } from "../output/blind-rules.ts";
import { renderSteps } from "../output/dry-run.ts";
import { renderTable } from "../output/table.ts";
import { duration } from "../output/words.ts";
import { act, examples } from "../session/act.ts";
import { newKey } from "../session/change.ts";
import type { Session } from "../session/open.ts";
import { allPages } from "../session/pages.ts";
import { readDocuments, ruleSetOf, type FileDocument } from "../session/rule-documents.ts";
import { parseAge } from "../session/age.ts";
import { storedMessages } from "../session/stored-messages.ts";
import { readMessages, triedOf } from "../session/tried-messages.ts";
import { wholeNumber } from "../session/whole-number.ts";
import type { Setup } from "./command.ts";

interface KindOptions {
  readonly kind?: "rule" | "schema";
}

interface TestOptions {
  readonly file?: string;
  readonly messages?: string;
  readonly stored?: boolean;
  readonly device?: string;
  readonly since?: number;
  readonly number: number;
  readonly silence: number;
}

const KINDS = { rule: RuleKind.RULE, schema: RuleKind.SCHEMA } as const;

/** `skep rule`. */
export const rule: Setup = (command, io) => {
  examples(command, [
    ["skep rule put fleet -f rules.yaml", "record the next versions of rules and schemas"],
    ["skep rule list fleet", "the latest version of each"],
    ["skep rule show fleet hot", "one as it was put"],
    ["skep rule versions fleet hot", "the versions of one that are kept"],
    ["skep rule rm fleet hot", "delete one"],
    ["skep rule rm fleet car --kind schema", "delete a schema"],
    ["skep rule test -f rules.yaml --messages day.jsonl", "what rules would make of messages; nothing is done"],
    ["skep rule test fleet --messages day.jsonl", "the same with those of a workspace"],
    ["skep rule test fleet -f rules.yaml --stored --since 2h", "what they would have made of the last two hours"],
  ]);
  setupPut(command, io);
  setupReading(command, io);
  setupTest(command, io);
};

function setupPut(command: Command, io: Io): void {
  const put = command
    .command("put")
    .summary("Record rules and schemas.")
    .argument("<workspace>", "whose they are")
    .requiredOption(
      "-f, --file <FILE>",
      "a rule or a schema, or a list of them, as JSON or YAML (`-` for standard input)",
    );
  act(put, io, async (session, options: { readonly file: string }, workspaceId: string) => {
    const made: WorkspaceRule[] = [];
    for (const { kind, document } of readDocuments(io, options.file)) {
      const request = { workspaceId, kind: KINDS[kind], document, idempotencyKey: newKey() };
      const { rule: one } = await session.api.rules.putRule(request);
      if (one !== undefined) made.push(one);
    }
    show(session, made);
    sayBlind(session, readRuleSet((await listAll(session, workspaceId, RuleKind.UNSPECIFIED)).map(recordOf)));
  });
  const remove = named(command.command("rm").summary("Delete a rule or a schema."));
  act(remove, io, async (session, options: KindOptions, workspaceId: string, reference: string) => {
    const { kind = "rule" } = options;
    await session.api.rules.deleteRule({ workspaceId, reference, kind: KINDS[kind], idempotencyKey: newKey() });
    print(
      session,
      () => ({}),
      () => `${reference}: is deleted\n`,
    );
  });
}

function setupReading(command: Command, io: Io): void {
  const list = kindOption(command.command("list").alias("ls").summary("List rules and schemas.")).argument(
    "<workspace>",
    "whose they are",
  );
  act(list, io, async (session, { kind }: KindOptions, workspaceId: string) => {
    const all = await listAll(session, workspaceId, RuleKind.UNSPECIFIED);
    show(
      session,
      all.filter(one => kind === undefined || one.kind === KINDS[kind]),
    );
    sayBlind(session, readRuleSet(all.map(recordOf)));
  });
  const versions = named(command.command("versions").summary("List the versions of one."));
  act(versions, io, async (session, options: KindOptions, workspaceId: string, reference: string) => {
    show(session, await versionsOf(session, options, workspaceId, reference));
  });
  const one = named(command.command("show").summary("Show one as it was put."));
  act(one, io, async (session, options: KindOptions, workspaceId: string, reference: string) => {
    const latest = (await versionsOf(session, options, workspaceId, reference))[0];
    if (latest?.document === undefined)
      throw new SkepError("not_found", "RULE_NOT_FOUND", `${reference} is deleted: \`skep rule versions\` shows when.`);
    const { document } = latest;
    print(
      session,
      () => messageJson(WorkspaceRuleSchema, latest),
      () => `${JSON.stringify(document, undefined, 2)}\n`,
    );
  });
}

function setupTest(command: Command, io: Io): void {
  const test = command
    .command("test")
    .summary("Say what rules would make of messages, without doing it.")
    .argument("[workspace]", "whose rules; else those of `-f`")
    .option("-f, --file <FILE>", "rules and schemas of a file, in place of those of that name")
    .option("--messages <FILE>", "messages: an object a line with topic, payload and at")
    .option("--stored", "the messages that the workspace has stored")
    .option("--device <ID>", "of those only what this device sent")
    .option("--since <AGE>", "of those only what is as old as this, like 10m or 2h", parseAge)
    .option("-n, --number <N>", "of those the latest, so many at most", wholeNumber(100_000), 10_000)
    .option("--silence <SECONDS>", "how long nothing comes after the last message", wholeNumber(90 * 86_400), 0);
  act(test, io, async (session, options: TestOptions, workspaceId: string | undefined) => {
    const set = await ruleSet(session, io, options, workspaceId);
    const messages = await triedMessages(session, io, options, workspaceId);
    const untilAt = (messages.at(-1)?.at ?? 0) + options.silence * 1000;
    const steps = dryRun(set.rules, set.schemas, messages, untilAt);
    print(
      session,
      () => steps.map(stepJson),
      () => renderSteps(session, steps),
    );
    sayBlind(session, set);
  });
}

async function triedMessages(
  session: Session,
  io: Io,
  options: TestOptions,
  workspaceId: string | undefined,
): Promise<readonly TriedMessage[]> {
  const { messages: file, stored = false, number: most } = options;
  if (stored === (file !== undefined))
    throw new SkepError("invalid_argument", "MESSAGES_UNSAID", "Name messages by `--messages FILE`, or `--stored`.");
  if (file !== undefined) return readMessages(io, file);
  if (workspaceId === undefined)
    throw new SkepError("invalid_argument", "RULES_UNSAID", "Name the workspace that has stored the messages.");
  return (await storedMessages(session, workspaceId, { ...options, most })).map(triedOf);
}

async function ruleSet(
  session: Session,
  io: Io,
  { file }: TestOptions,
  workspaceId: string | undefined,
): Promise<RuleSet> {
  if (file === undefined && workspaceId === undefined)
    throw new SkepError("invalid_argument", "RULES_UNSAID", "Name a workspace, or a file of rules by `-f FILE`.");
  const given = file === undefined ? [] : readDocuments(io, file).map(one => ({ ...one, version: 1 }));
  const kept = workspaceId === undefined ? [] : (await listAll(session, workspaceId, RuleKind.UNSPECIFIED)).map(toFile);
  const names = new Set(given.map(nameOf));
  return ruleSetOf([...kept.filter(one => !names.has(nameOf(one))), ...given]);
}

function nameOf({ kind, document }: FileDocument): string {
  return `${kind} ${JSON.stringify(document[kind === "rule" ? "id" : "reference"])}`;
}

function toFile({
  kind,
  reference,
  version,
  document = {},
}: WorkspaceRule): FileDocument & { readonly version: number } {
  const word = kind === RuleKind.SCHEMA ? "schema" : "rule";
  return { kind: word, document, place: `${word} ${reference}`, version: Number(version) };
}

/** What programs read stays as it is. */
function sayBlind({ io, json }: Session, set: RuleSet): void {
  if (!json) io.err(renderBlindRules(set));
}

function recordOf(one: WorkspaceRule): Parameters<typeof readRuleSet>[0][number] {
  return { ...toFile(one), document: one.document, reference: one.reference };
}

function stepJson({ effects, ...step }: TriedStep): JsonValue {
  // Actions are plain data, but for what is absent in them.
  return { ...step, effects: JSON.parse(JSON.stringify(effects)) as JsonValue };
}

async function listAll(session: Session, workspaceId: string, kind: RuleKind): Promise<readonly WorkspaceRule[]> {
  return await allPages(
    pageToken => session.api.rules.listRules({ workspaceId, kind, pageSize: 100, pageToken }),
    page => page.rules,
  );
}

async function versionsOf(
  session: Session,
  { kind = "rule" }: KindOptions,
  workspaceId: string,
  reference: string,
): Promise<readonly WorkspaceRule[]> {
  return (await session.api.rules.listRuleVersions({ workspaceId, reference, kind: KINDS[kind] })).rules;
}

function named(command: Command): Command {
  return kindOption(command).argument("<workspace>", "whose it is").argument("<name>", "its id or reference");
}

function kindOption(command: Command): Command {
  return command.addOption(new Option("--kind <KIND>", "rules or schemas").choices(["rule", "schema"]));
}

function show(session: Session, rules: readonly WorkspaceRule[]): void {
  const now = session.io.now();
  print(
    session,
    () => listJson(WorkspaceRuleSchema, rules),
    () =>
      renderTable(
        ["KIND", "NAME", "VERSION", "AGE", "BY", "STATE"].map(heading => ({ heading })),
        rules.map(one => [
          enumWord(RuleKind, one.kind),
          one.reference,
          String(one.version),
          one.createdAt === undefined ? "?" : duration(now - timestampMs(one.createdAt)),
          one.createdBy,
          stateOf(one),
        ]),
      ),
  );
}

function stateOf({ document }: WorkspaceRule): string {
  if (document === undefined) return "deleted";
  return document["enabled"] === false ? "off" : "on";
}
