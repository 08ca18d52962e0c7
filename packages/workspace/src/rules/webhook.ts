import { SkepError } from "@skep/core/error.ts";
import type { Effect } from "@skep/core/rules/evaluate.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Random } from "@skep/kit/random.ts";
import { retry } from "@skep/kit/retry.ts";
import type { Message } from "../message.ts";
import { attempt, AttemptFailed } from "./webhook-attempt.ts";
import { createWaiting } from "./webhook-lanes.ts";
import type { Post } from "./webhook-post.ts";
import { prepare, type Posting, type WebhookTarget } from "./webhook-posting.ts";

/** Posts messages to the addresses of one workspace. */
export interface Webhooks {
  /**
   * Resolves once the target has answered with 2xx; rejects where it never did, or where too much
   * waits. What is rejected tells neither the path of an address nor a secret.
   */
  send(target: string, message: Message, effect: Effect): Promise<void>;
  /** From now on these are the targets; what waits already goes to where it was meant to. */
  set(targets: ReadonlyMap<string, WebhookTarget>): void;
  counts(): Readonly<Record<string, number>>;
  /** Gives up what waits or is under way; resolves when nothing is left. */
  close(): Promise<void>;
}

/** What webhooks work with. */
export interface WebhookOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly post: Post;
  /** Hosts that may lie in the platform's own network, and speak plain HTTP. */
  readonly allowedHosts: readonly string[];
}

const RETRIES = { attempts: 5, baseMs: 1_000, maxMs: 30_000 } as const;

/** Makes it. */
export function createWebhooks(options: WebhookOptions, first: ReadonlyMap<string, WebhookTarget>): Webhooks {
  const { clock, random } = options;
  const closing = new AbortController();
  const waiting = createWaiting();
  const counts = { webhooksSent: 0, webhooksFailed: 0, webhooksRepeated: 0, webhooksDropped: 0 };
  let targets = first;

  async function deliver(name: string, posting: Posting): Promise<void> {
    const isTransient = (error: unknown): boolean => error instanceof AttemptFailed && error.mayPass;
    const onRetry = (): void => void (counts.webhooksRepeated += 1);
    let made = 0;
    const once = (number: number): Promise<void> => {
      made = number;
      return attempt(posting, options, closing.signal);
    };
    try {
      await retry(once, { ...RETRIES, isTransient, onRetry, random }, clock, closing.signal);
      counts.webhooksSent += 1;
    } catch (error) {
      counts.webhooksFailed += 1;
      const because = error instanceof AttemptFailed ? error.message : "cannot be reached";
      const tries = made === 1 ? "1 attempt" : `${made} attempts`;
      throw refused("unavailable", "WEBHOOK_FAILED", `webhook ${name}: ${posting.url.host} ${because}, ${tries}`);
    }
  }

  return {
    send: async (name, message, effect) => {
      const posting = prepare(name, targets.get(name), message, effect, options.allowedHosts);
      const turn = waiting.turn(name, posting.body.length);
      if (turn === undefined) {
        counts.webhooksDropped += 1;
        throw refused("resource_exhausted", "WEBHOOK_DROPPED", `webhook ${name}: too many wait, this one is dropped`);
      }
      const done = await turn;
      try {
        if (closing.signal.aborted) {
          counts.webhooksDropped += 1;
          throw refused("unavailable", "WEBHOOK_DROPPED", `webhook ${name}: the workspace ends, so it is dropped`);
        }
        await deliver(name, posting);
      } finally {
        done();
      }
    },
    set: next => void (targets = next),
    counts: () => ({ ...counts, webhooksWaiting: waiting.size() }),
    close: async () => {
      closing.abort();
      await waiting.empty();
    },
  };
}

function refused(code: SkepError["code"], reason: string, sentence: string): SkepError {
  return new SkepError(code, reason, sentence);
}
