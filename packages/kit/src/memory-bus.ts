import { BusError, type Bus, type BusMessage, type BusSubscription } from "./bus.ts";
import type { Clock } from "./clock.ts";
import { assertSize, assertSubject, isPattern, matchesSubject } from "./subject.ts";

/** A message on its way from one client to one subscription. */
export interface Passage {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly data: Uint8Array;
}

/**
 * Decides what becomes of each message: it arrives once after each delay (ms) of the answer. `[0]` is the perfect
 * network, `[]` drops, two entries double, delays that differ between messages reorder.
 */
export type DeliveryPolicy = (passage: Passage) => readonly number[];

/** A message server and its network, in memory: the twin of NATS core. */
export interface MemoryNetwork {
  /** A connection under a name; several may share one name, as a restarted process does with its former self. */
  connect(name: string): Bus;
  /**
   * Parts all connections of a name from the server. `noticed` (the default) tells them so; otherwise they believe
   * that they are connected while nothing passes, as after a pulled cable.
   */
  cut(name: string, how?: "noticed" | "unnoticed"): void;
  /** Joins them again; what was sent meanwhile is lost. */
  heal(name: string): void;
  /** The process behind a name is gone: nothing is delivered to it, and its waiting requests never settle. */
  crash(name: string): void;
  /** From now on deliveries go by this policy. */
  setPolicy(policy: DeliveryPolicy): void;
}

/** As NATS has it by default. */
const MAX_PAYLOAD_BYTES = 1024 * 1024;
const PERFECT: readonly number[] = [0];

interface Client {
  readonly name: string;
  link: "up" | "noticed" | "unnoticed" | "closed" | "crashed";
  readonly statusHandlers: Set<(connected: boolean) => void>;
  readonly waiting: Set<(error: BusError) => void>;
  readonly subscriptions: Set<Subscription>;
  inboxes: number;
}

interface Subscription {
  readonly client: Client;
  readonly pattern: string;
  readonly queue: string | undefined;
  readonly handle: (message: BusMessage) => void;
}

/** Makes a network whose deliveries take virtual or real time by `clock`. A member of a queue group is taken in turn. */
export function createMemoryNetwork(clock: Clock, firstPolicy: DeliveryPolicy = () => PERFECT): MemoryNetwork {
  let policy = firstPolicy;
  const clients = new Set<Client>();
  const registry = new Registry();
  const named = (name: string): Client[] => [...clients].filter(client => client.name === name);

  function pass(from: Client, to: Subscription, message: BusMessage): void {
    for (const delayMs of policy({
      from: from.name,
      to: to.client.name,
      subject: message.subject,
      data: message.data,
    })) {
      const arrive = (): void => {
        if (to.client.link === "up" && to.client.subscriptions.has(to)) to.handle(message);
      };
      if (delayMs <= 0) queueMicrotask(arrive);
      else clock.timer(delayMs, arrive);
    }
  }

  function send(from: Client, subject: string, data: Uint8Array, replyTo: string | undefined): number {
    assertSubject(subject, "subject");
    assertSize(subject, data, MAX_PAYLOAD_BYTES);
    if (from.link !== "up") return 0;
    const receivers = registry.receivers(subject);
    for (const to of receivers) {
      const reply = (answer: Uint8Array): void => {
        if (replyTo !== undefined) send(to.client, replyTo, answer, undefined);
      };
      pass(from, to, { subject, data, replyTo, reply });
    }
    return receivers.length;
  }

  function setLink(client: Client, link: Client["link"]): void {
    const before = believes(client);
    client.link = link;
    if (before === believes(client)) return;
    if (before) for (const fail of client.waiting) fail(unavailable(client.name));
    for (const handle of client.statusHandlers) handle(!before);
  }

  function leave(client: Client): void {
    for (const one of client.subscriptions) registry.remove(one);
    client.subscriptions.clear();
    clients.delete(client);
  }

  return {
    connect: name => {
      const client: Client = {
        name,
        link: "up",
        statusHandlers: new Set(),
        waiting: new Set(),
        subscriptions: new Set(),
        inboxes: 0,
      };
      clients.add(client);
      return createBus(client, clock, registry, send, () => {
        setLink(client, "closed");
        leave(client);
      });
    },
    cut: (name, how = "noticed") => {
      for (const client of named(name)) setLink(client, how);
    },
    heal: name => {
      for (const client of named(name)) setLink(client, "up");
    },
    crash: name => {
      for (const client of named(name)) {
        client.link = "crashed";
        leave(client);
      }
    },
    setPolicy: next => {
      policy = next;
    },
  };
}

function createBus(
  client: Client,
  clock: Clock,
  registry: Registry,
  send: (from: Client, subject: string, data: Uint8Array, replyTo: string | undefined) => number,
  close: () => void,
): Bus {
  const bus: Bus = {
    publish: (subject, data, options) => void send(client, subject, data, options?.replyTo),
    subscribe: (pattern, handle, options) => {
      assertSubject(pattern, "pattern");
      const one = { client, pattern, queue: options?.queue, handle };
      if (client.link !== "closed" && client.link !== "crashed") {
        client.subscriptions.add(one);
        registry.add(one);
      }
      return {
        close: () => {
          client.subscriptions.delete(one);
          registry.remove(one);
        },
      };
    },
    request: async (subject, data, { timeoutMs }) => {
      assertSubject(subject, "subject");
      if (!believes(client)) throw unavailable(client.name);
      assertSize(subject, data, MAX_PAYLOAD_BYTES);
      return new Promise<Uint8Array>((resolve, reject) => {
        const replyTo = bus.inbox();
        const answers = bus.subscribe(replyTo, message => finish(() => resolve(message.data)));
        const fail = (error: BusError): void => finish(() => reject(error));
        const cancel = clock.timer(timeoutMs, () =>
          fail(new BusError("timeout", `No answer on ${subject} within ${timeoutMs} ms.`)),
        );
        const finish = (settle: () => void): void => {
          cancel();
          answers.close();
          client.waiting.delete(fail);
          settle();
        };
        client.waiting.add(fail);
        const heard = send(client, subject, data, replyTo);
        if (heard === 0 && client.link === "up") fail(new BusError("no_responders", `Nobody listens on ${subject}.`));
      });
    },
    inbox: () => `_INBOX.${client.name}.${++client.inboxes}`,
    connected: () => believes(client),
    onStatus: handle => addTo(client.statusHandlers, handle),
    close: () => {
      close();
      return Promise.resolve();
    },
  };
  return bus;
}

/** Who listens: literal subjects by a look-up, patterns one by one. */
class Registry {
  readonly #literal = new Map<string, Set<Subscription>>();
  readonly #patterns = new Set<Subscription>();
  #turn = 0;

  add(one: Subscription): void {
    if (isPattern(one.pattern)) this.#patterns.add(one);
    else this.#literal.set(one.pattern, (this.#literal.get(one.pattern) ?? new Set()).add(one));
  }

  remove(one: Subscription): void {
    this.#patterns.delete(one);
    const same = this.#literal.get(one.pattern);
    if (same?.delete(one) && same.size === 0) this.#literal.delete(one.pattern);
  }

  /** Every plain subscription, and one of each queue group, that the server believes to be there. */
  receivers(subject: string): Subscription[] {
    const receivers: Subscription[] = [];
    const groups = new Map<string, Subscription[]>();
    const consider = (one: Subscription): void => {
      if (one.client.link === "noticed") return;
      if (one.queue === undefined) receivers.push(one);
      else groups.set(one.queue, [...(groups.get(one.queue) ?? []), one]);
    };
    this.#literal.get(subject)?.forEach(consider);
    for (const one of this.#patterns) if (matchesSubject(one.pattern, subject)) consider(one);
    for (const members of groups.values()) receivers.push(members[this.#turn++ % members.length]!);
    return receivers;
  }
}

function addTo<T>(set: Set<T>, item: T): BusSubscription {
  set.add(item);
  return { close: () => void set.delete(item) };
}

/** Whether the client itself thinks that it is connected. */
function believes(client: Client): boolean {
  return client.link === "up" || client.link === "unnoticed";
}

function unavailable(name: string): BusError {
  return new BusError("unavailable", `${name} is not connected to the message bus: try again when it is.`);
}
