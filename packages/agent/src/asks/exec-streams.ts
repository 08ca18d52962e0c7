import { encodeAskReply } from "@skep/api/codec/ask-reply.ts";
import { EXEC_IDLE_MS, type Ask } from "@skep/api/codec/ask.ts";
import { SkepError } from "@skep/core/error.ts";
import type { ObservedContainer } from "@skep/core/model/observed.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { toSkepError } from "./ask-failure.ts";
import { createWindow, sendOutput, type Window } from "./exec-chunks.ts";
import { createExecInput, type ExecInput } from "./exec-input.ts";
import type { Engine } from "../engine/engine.ts";
import { engineErrorCode } from "../engine/errors.ts";
import { Streams } from "./streams.ts";

/** What is asked for. */
export type AskForExec = Extract<Ask, { kind: "exec" }>;

const MOST_COMMANDS = 16;
const LONGEST_MS = 3_600_000;

/** What is kept of each command. */
interface Command {
  readonly input: ExecInput;
  readonly window: Window;
}

/** What the commands need. */
export interface ExecDeps {
  readonly engine: Engine;
  readonly bus: Bus;
  readonly clock: Clock;
}

/**
 * Runs commands in this node's own containers and sends what they print to those who asked for it.
 */
export class ExecStreams {
  readonly #deps: ExecDeps;
  readonly #streams: Streams<Command>;

  constructor(deps: ExecDeps) {
    this.#deps = deps;
    this.#streams = new Streams(deps.clock, { most: MOST_COMMANDS, idleMs: EXEC_IDLE_MS, tooMany });
  }

  /**
   * Begins a command, whose output goes to `replyTo`.
   * @throws SkepError `not_found` for a container that is not here, `permission_denied` for a
   * sandbox,
   * `failed_precondition` for one that does not run, `resource_exhausted` with too many commands
   * under way.
   */
  begin(ask: AskForExec, replyTo: string, containers: readonly ObservedContainer[]): void {
    // A command that runs already is not refused because its container has ended meanwhile.
    if (this.#streams.has(ask.streamId)) return;
    const container = choose(ask, containers);
    this.#streams.begin(
      { streamId: ask.streamId, isWatched: true },
      signal => ({ input: createExecInput(ask.stdinBytes), window: createWindow(signal) }),
      (command, stopping) => this.#run(ask, replyTo, container.id, command, stopping),
    );
  }

  /** A part of a command's standard input. */
  input(streamId: string, offset: number, data: Uint8Array): void {
    this.#streams.get(streamId)?.input.add(offset, data);
  }

  /** A sign of life of the reader and how much it has taken, or with `stop` the end. */
  control(streamId: string, stop: boolean, taken: number): void {
    this.#streams.control(streamId, stop)?.window.taken(taken);
  }

  /** Reads no command any more. */
  close(): void {
    this.#streams.close();
  }

  async #run(
    ask: AskForExec,
    replyTo: string,
    containerId: string,
    { input, window }: Command,
    stopping: AbortController,
  ): Promise<void> {
    const { engine, bus, clock } = this.#deps;
    const { signal } = stopping;
    const timeoutMs = Math.min(ask.timeoutMs, LONGEST_MS);
    const refuse = (error: SkepError): void => bus.publish(replyTo, encodeAskReply({ kind: "error", error }));
    const cancel = clock.timer(timeoutMs, () => {
      refuse(outOfTime(timeoutMs));
      stopping.abort();
    });
    signal.addEventListener("abort", cancel);
    const wire = { bus, clock, streamId: ask.streamId, replyTo, window };
    try {
      await sendOutput(
        wire,
        async function* () {
          const stdin = await input.whole(signal);
          if (!signal.aborted) yield* engine.exec(containerId, { argv: ask.argv, stdin }, signal);
        },
        signal,
      );
    } catch (error) {
      // One whose reader left, or was told of the deadline, has nobody to tell.
      if (!signal.aborted) refuse(toRefusal(error));
    } finally {
      cancel();
    }
  }
}

function tooMany(): SkepError {
  const advice = `This node runs ${MOST_COMMANDS} such commands already: end one, or try again later.`;
  return new SkepError("resource_exhausted", "TOO_MANY_COMMANDS", advice);
}

function choose(ask: AskForExec, containers: readonly ObservedContainer[]): ObservedContainer {
  const [newest] = containers
    .filter(one => one.instanceId === ask.instanceId && one.name === ask.container)
    .toSorted((a, b) => b.epoch - a.epoch);
  if (newest === undefined)
    throw new SkepError(
      "not_found",
      "NO_SUCH_CONTAINER",
      `This node has no container ${ask.container} of instance ${ask.instanceId}: it is not made yet, or has moved. \`skep ps\` says where it is, and what it waits for.`,
    );
  if (newest.role !== "app")
    throw new SkepError(
      "permission_denied",
      "SANDBOX",
      `The sandbox of ${ask.instanceId} only holds its network: name one of its containers.`,
    );
  if (newest.state !== "running")
    throw notRunning(`Container ${ask.container} of ${ask.instanceId} is ${newest.state}`);
  return newest;
}

function notRunning(words: string): SkepError {
  const message = `${words}: a command needs one that runs. Look at its logs, and try again once it runs.`;
  return new SkepError("failed_precondition", "CONTAINER_NOT_RUNNING", message);
}

/** The engine calls a container that ended meanwhile a conflict. */
function toRefusal(error: unknown): SkepError {
  const ended = engineErrorCode(error) === "conflict" && error instanceof Error;
  return ended ? notRunning(error.message) : toSkepError(error);
}

function outOfTime(timeoutMs: number): SkepError {
  return new SkepError(
    "deadline_exceeded",
    "EXEC_DEADLINE",
    `The command did not end within ${timeoutMs / 1000} s and is no longer read. It may run on until its container ends: give it more time, or restart the instance.`,
  );
}
