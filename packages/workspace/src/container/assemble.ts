import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Random } from "@skep/kit/random.ts";
import { SkepError } from "@skep/core/error.ts";
import { topicOf } from "@skep/core/workspace/topic.ts";
import type { ErrorHandler } from "../errors/error-handler.ts";
import { again } from "../ingest/again.ts";
import { createTold, type Told } from "../ingest/told.ts";
import { createPipeline, type Pipeline } from "../ingest/pipeline.ts";
import type { DeadLetter, Message } from "../message.ts";
import type { Channel, Database, Events } from "../parts.ts";
import type { Actions } from "../rules/acting.ts";
import type { RulesRuntime } from "../rules/rules.ts";
import type { PartContext, PartFactories } from "./factories.ts";
import type { Opening } from "./opening.ts";

/** What `manage` begins. */
export interface Assembly {
  readonly rules: RulesRuntime;
  readonly events: Events;
  readonly pipeline: Pipeline;
  /** Tells of what is stored. */
  readonly stored: Told;
  /** Has a dead letter typed, judged and stored anew. */
  again(letter: DeadLetter): Promise<void>;
  /** Ends the pipeline at once, then the events and the rules (R68, R69). */
  close(): Promise<void>;
}

/** Messages of one batch, and how long one waits for more (see the README for the figures). */
export const BATCH = { most: 1_000, waitMs: 5 } as const;
/** Bytes that a message may have: no document of a database may have more than 16 MB. */
const MAX_PAYLOAD = 1024 * 1024;

/** What the parts are begun with. */
export interface AssemblyPorts {
  readonly factories: PartFactories;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Begins rules and events, and then has messages delivered to the pipeline. */
export async function assemble(
  opening: Opening,
  context: PartContext,
  ports: AssemblyPorts,
  errors: ErrorHandler,
): Promise<Assembly> {
  const { database, channel } = opening.parts();
  const { factories, clock, random, log } = ports;
  let events: Events | undefined;
  const actions = actionsOf(context, channel!, database!, () => events, errors);
  const rules = await factories.rules(context, actions);
  try {
    events = await factories.events(context);
  } catch (error) {
    await rules.close();
    throw error;
  }
  const workspaceId = context.connector.id;
  const stored = createTold();
  const pipeline = createPipeline(
    { reader: channel!, database: database!, rules, events, clock, random, log, stored: stored.tell },
    { workspaceId, batch: BATCH, maxPayload: MAX_PAYLOAD, mayRead: context.mayRead },
  );
  channel!.begin(delivery => pipeline.take(delivery));
  return {
    rules,
    events,
    pipeline,
    stored,
    again: letter => again({ rules, events, database: database!, clock, stored: stored.tell }, workspaceId, letter),
    close: async () => {
      await pipeline.close();
      await events.close();
      await rules.close();
    },
  };
}

function actionsOf(
  { connector }: PartContext,
  channel: Channel,
  database: Pick<Database, "store">,
  events: () => Events | undefined,
  errors: ErrorHandler,
): Actions {
  async function recorded(kind: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      errors.record(kind, error);
      throw error;
    }
  }
  return {
    store: (collection, message) => recorded("rules.store", () => database.store([alarmOf(collection, message)])),
    event: async (topic, message, effect) =>
      events()?.emit([
        {
          topic,
          data: {
            deviceId: message.topic.deviceId,
            rule: effect.ruleId,
            version: effect.version,
            because: effect.because,
          },
          at: message.receivedAt,
        },
      ]),
    command: (deviceId, type, payload) =>
      recorded("rules.command", () =>
        channel.publish(
          topicOf({ workspaceId: connector.id, deviceId, category: "commands", type }),
          Buffer.from(JSON.stringify(payload)),
        ),
      ),
    // Where targets are registered the rules carry it out themselves.
    webhook: target => recorded("rules.webhook", () => Promise.reject(noWebhooks(target))),
  };
}

/** A copy of a message beside where all messages go, under the category of its collection. */
function alarmOf(collection: string, { key, topic, receivedAt, payload }: Message) {
  const at = new Date(receivedAt);
  const value = { category: topic.category, type: topic.type, payload };
  return {
    _id: `${collection}.${key}`,
    deviceId: topic.deviceId,
    category: collection,
    type: "",
    at,
    receivedAt: at,
    value,
  };
}

function noWebhooks(target: string): SkepError {
  const sentence = `webhook ${target}: this container was made without webhooks`;
  return new SkepError("failed_precondition", "WEBHOOK_UNKNOWN", sentence);
}
