import { SkepError } from "@skep/core/error.ts";
import { connect, type IClientOptions, type MqttClient } from "mqtt";

/** Where to publish, and as whom. */
export interface PublisherSettings {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly clientId: string;
  /** Certificates that are trusted instead of the machine's, PEM. */
  readonly ca?: string;
}

/** Publishes to a broker, over one connection that many may share. */
export interface Publisher {
  isConnected(): boolean;
  /** Why not; empty while it is. */
  lastError(): string;
  /** Publishes at QoS 1; rejects with a SkepError where the broker does not take it in time. */
  publish(topic: string, payload: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** So many wait at most for the broker to take them. */
const MOST_WAITING = 10_000;
const TAKE_MS = 10_000;

/**
 * Connects, and connects again until it is closed. What comes while the broker is away is refused.
 */
export function openPublisher({ url, username, password, clientId, ca }: PublisherSettings): Publisher {
  const options: IClientOptions = {
    ...{ clientId, clean: true, protocolVersion: 5, reconnectPeriod: 1_000, queueQoSZero: false },
    ...(username === "" ? {} : { username, password }),
    ...(ca === undefined ? {} : { ca }),
  };
  const client: MqttClient = connect(url, options);
  let lastError = "not connected yet";
  let waiting = 0;
  client.on("connect", () => void (lastError = ""));
  client.on("error", error => void (lastError = error.message));
  client.on("close", () => void (lastError ||= "the broker closed the connection"));
  return {
    isConnected: () => client.connected,
    lastError: () => (client.connected ? "" : lastError),
    publish: async (topic, payload) => {
      if (!client.connected) throw away(lastError);
      if (waiting >= MOST_WAITING) throw away(`${MOST_WAITING} messages wait for it already`);
      waiting += 1;
      try {
        await within(client.publishAsync(topic, Buffer.from(payload), { qos: 1 }));
      } catch (error) {
        throw error instanceof SkepError ? error : away(error instanceof Error ? error.message : String(error));
      } finally {
        waiting -= 1;
      }
    },
    close: () => client.endAsync(true),
  };
}

function away(because: string): SkepError {
  return new SkepError("unavailable", "BROKER_AWAY", `The broker takes no message: ${because}. Try again later.`);
}

async function within(taken: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(away(`no answer within ${TAKE_MS} ms`)), TAKE_MS);
  });
  try {
    await Promise.race([taken, late]);
  } finally {
    clearTimeout(timer);
  }
}
