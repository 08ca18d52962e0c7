import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { deviceFilter } from "@skep/core/workspace/topic.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Random } from "@skep/kit/random.ts";
import type { Channel } from "../parts.ts";
import type { Delivery, Reader, ReaderState } from "./delivery.ts";
import type { Publisher } from "./publisher.ts";
import { createEarly } from "./early.ts";
import { openReader, type Connect } from "./reader.ts";
import type { ReaderSettings } from "./settings.ts";

/** What the channel of a workspace works with. */
export interface ChannelOptions {
  readonly workspaceId: WorkspaceId;
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly ca?: string;
  /** Messages of one batch; twice as many may be sent without an acknowledgement. */
  readonly batch: number;
  readonly publisher: Pick<Publisher, "publish" | "isConnected" | "lastError">;
  /** Lets go of the publisher, which others may use. */
  readonly release: () => Promise<void>;
  readonly mayRead: () => boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** Opens a connection; one over a socket where it is absent. */
  readonly connect?: Connect;
}

/** The channel of one workspace, which delivers nothing before it is told to. */
export interface WorkspaceChannel extends Channel, Pick<Reader, "acknowledge" | "isCurrent" | "pause"> {
  /** Delivers from now on. */
  begin(deliver: (delivery: Delivery) => void): void;
}

/** The session of a workspace at a broker; whoever reads it connects by this one. */
export function sessionOf({
  workspaceId,
  url,
  username,
  password,
  ca,
  batch,
}: Pick<ChannelOptions, "workspaceId" | "url" | "username" | "password" | "ca" | "batch">): ReaderSettings {
  return {
    ...{ url, username, password, clientId: `skep-ws-${workspaceId}`, filters: [deviceFilter(workspaceId)] },
    confirms: workspaceId,
    ...{ receiveMaximum: 4 * batch, sessionExpirySeconds: SESSION_SECONDS },
    ...{ keepaliveSeconds: KEEPALIVE_SECONDS, ...(ca === undefined ? {} : { ca }) },
  };
}

/** How long the broker keeps messages for a workspace that nobody reads. */
const SESSION_SECONDS = 3_600;
const KEEPALIVE_SECONDS = 15;
/** Longer than a connection is tried for: after that it is the workspace that is not ours. */
const OPEN_MS = 15_000;

const NOT_OURS = `ERROR: MQTT connection failed: this process was not the owner of the workspace for ${OPEN_MS / 1_000} s`;

/**
 * Connects to the broker (R53); resolves once its topics are subscribed to, rejects with the text
 * of R145 and the true cause where that fails at first, and connects again after that (R28, R31).
 */
export async function openChannel(options: ChannelOptions): Promise<WorkspaceChannel> {
  const { publisher, mayRead, clock, random } = options;
  const early = createEarly(2 * options.batch);
  let deliver = early.add;
  const first = Promise.withResolvers<ReaderState>();
  const reader = openReader(
    sessionOf(options),
    { delivered: one => deliver(one), changed: first.resolve },
    { clock, random, mayRead, ...(options.connect === undefined ? {} : { connect: options.connect }) },
  );
  // Nothing is read from the wire before somebody takes it: the broker keeps it.
  reader.pause(true);
  const giveUp = clock.timer(OPEN_MS, () => first.resolve({ kind: "away", because: NOT_OURS }));
  const state = await first.promise;
  giveUp();
  if (state.kind !== "connected") {
    await Promise.all([reader.close(), options.release()]);
    throw new Error("because" in state ? state.because : "ERROR: MQTT connection failed: it was closed");
  }
  return {
    acknowledge: reader.acknowledge,
    isCurrent: reader.isCurrent,
    pause: reader.pause,
    publish: publisher.publish,
    begin: wanted => {
      deliver = wanted;
      // Before the others are given: whoever takes them may hold the wire back.
      reader.pause(false);
      for (const delivery of early.take()) wanted(delivery);
    },
    health: () => {
      const now = reader.state();
      return { isConnected: now.kind === "connected", lastError: "because" in now ? now.because : "" };
    },
    counts: () => ({
      ...{ connections: reader.connections(), publisherConnected: Number(publisher.isConnected()) },
      lostEarly: early.lost(),
    }),
    close: async () => {
      await reader.close();
      await options.release();
    },
  };
}
