import { BusError, DEFAULT_MAX_PAYLOAD, type Bus, type BusMessage, type BusSubscription } from "./bus.ts";
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
 * Decides what becomes of each message: it arrives once after each delay (ms) of the answer. `[0]`
 * is the perfect network, `[]` drops, two entries double, delays that differ between messages
 * reorder.
 */
export type DeliveryPolicy = (passage: Passage) => readonly number[];

/** A message server and its network, in memory: the twin of NATS core. */
export interface MemoryNetwork {
  /**
   * A connection under a name; several may share one name, as a restarted process does with its
   * former self.
   */
  connect(name: string): Bus;
  /**
   * Parts all connections of a name from the server. `noticed` (the default) tells them so;
   * otherwise they take themselves for connected while nothing passes, as after a pulled cable.
   */
  cut(name: string, how?: "noticed" | "unnoticed"): void;
  /** Joins them again; what was sent meanwhile is lost. */
  heal(name: string): void;
  /**
   * The process behind a name is gone: nothing is delivered to it, and its waiting requests never
   * settle.
   */
  crash(name: string): void;
  /** From now on deliveries go by this policy. */
  setPolicy(policy: DeliveryPolicy): void;
  /**
   * From now on the server takes messages up to this many bytes, as after a change of its
   * configuration.
   */
  setMaxPayload(bytes: number): void;
}

/**
 * Inboxes are subjects of their own each time, so what is remembered of subjects has to end
 * somewhere.
 */
const SUBJECTS_KEPT = 1_000;
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

/**
 * Makes a network whose deliveries take virtual or real time by `clock`. A member of a queue group
 * is taken in turn.
 */
export function createMemoryNetwork(clock: Clock, policy: DeliveryPolicy = () => PERFECT): MemoryNetwork {
  return new Server(clock, policy);
}

class Server implements MemoryNetwork {
  readonly clock: Clock;
  readonly registry = new Registry();
  readonly #clients = new Set<Client>();
  #policy: DeliveryPolicy;
  maxPayload = DEFAULT_MAX_PAYLOAD;

  constructor(clock: Clock, policy: DeliveryPolicy) {
    this.clock = clock;
    this.#policy = policy;
  }

  connect(name: string): Bus {
    const client: Client = {
      name,
      link: "up",
      statusHandlers: new Set(),
      waiting: new Set(),
      subscriptions: new Set(),
      inboxes: 0,
    };
    this.#clients.add(client);
    return createBus(client, this);
  }

  cut(name: string, how: "noticed" | "unnoticed" = "noticed"): void {
    for (const client of this.#named(name)) this.#setLink(client, how);
  }

  heal(name: string): void {
    for (const client of this.#named(name)) this.#setLink(client, "up");
  }

  crash(name: string): void {
    for (const client of this.#named(name)) {
      client.link = "crashed";
      this.#forget(client);
    }
  }

  setPolicy(policy: DeliveryPolicy): void {
    this.#policy = policy;
  }

  setMaxPayload(bytes: number): void {
    this.maxPayload = bytes;
  }

  /** The client closes its connection. */
  leave(client: Client): void {
    this.#setLink(client, "closed");
    this.#forget(client);
  }

  /** Sets a message on its way; answers how many receivers the server saw. */
  send(from: Client, subject: string, data: Uint8Array, replyTo: string | undefined): number {
    assertSubject(subject, "subject");
    if (!believes(from)) return 0;
    assertSize(subject, data, this.maxPayload);
    if (from.link !== "up") return 0;
    const receivers = this.registry.receivers(subject);
    for (const to of receivers) {
      const reply = (answer: Uint8Array): void => {
        if (replyTo !== undefined) this.send(to.client, replyTo, answer, undefined);
      };
      this.#pass(from, to, { subject, data, replyTo, reply });
    }
    return receivers.length;
  }

  #pass(from: Client, to: Subscription, message: BusMessage): void {
    const { subject, data } = message;
    for (const delayMs of this.#policy({ from: from.name, to: to.client.name, subject, data })) {
      const arrive = (): void => {
        if (to.client.link === "up" && to.client.subscriptions.has(to)) to.handle(message);
      };
      if (delayMs <= 0) queueMicrotask(arrive);
      else this.clock.timer(delayMs, arrive);
    }
  }

  #setLink(client: Client, link: Client["link"]): void {
    const before = believes(client);
    client.link = link;
    if (before === believes(client)) return;
    if (before) for (const fail of client.waiting) fail(unavailable(client.name));
    for (const handle of client.statusHandlers) handle(!before);
  }

  #forget(client: Client): void {
    for (const one of client.subscriptions) this.registry.remove(one);
    client.subscriptions.clear();
    this.#clients.delete(client);
  }

  #named(name: string): Client[] {
    return [...this.#clients].filter(client => client.name === name);
  }
}

function createBus(client: Client, server: Server): Bus {
  const bus: Bus = {
    publish: (subject, data, options) => void server.send(client, subject, data, options?.replyTo),
    subscribe: (pattern, handle, options) => {
      assertSubject(pattern, "pattern");
      const one = { client, pattern, queue: options?.queue, handle };
      if (client.link !== "closed" && client.link !== "crashed") {
        client.subscriptions.add(one);
        server.registry.add(one);
      }
      return {
        close: () => {
          client.subscriptions.delete(one);
          server.registry.remove(one);
        },
      };
    },
    request: async (subject, data, { timeoutMs }) => {
      assertSubject(subject, "subject");
      if (!believes(client)) throw unavailable(client.name);
      assertSize(subject, data, server.maxPayload);
      return new Promise<Uint8Array>((resolve, reject) => {
        const replyTo = bus.inbox();
        const answers = bus.subscribe(replyTo, message => finish(() => resolve(message.data)));
        const fail = (error: BusError): void => finish(() => reject(error));
        const cancel = server.clock.timer(timeoutMs, () =>
          fail(new BusError("timeout", `No answer on ${subject} within ${timeoutMs} ms.`)),
        );
        const finish = (settle: () => void): void => {
          cancel();
          answers.close();
          client.waiting.delete(fail);
          settle();
        };
        client.waiting.add(fail);
        const heard = server.send(client, subject, data, replyTo);
        if (heard === 0 && client.link === "up") fail(new BusError("no_responders", `Nobody listens on ${subject}.`));
      });
    },
    inbox: () => `_INBOX.${client.name}.${++client.inboxes}`,
    maxPayload: () => server.maxPayload,
    connected: () => believes(client),
    onStatus: handle => addTo(client.statusHandlers, handle),
    close: () => {
      server.leave(client);
      return Promise.resolve();
    },
  };
  return bus;
}

/** The subscriptions: literal subjects by a look-up, patterns one by one. */
class Registry {
  readonly #literal = new Map<string, Set<Subscription>>();
  readonly #patterns = new Set<Subscription>();
  /** Of subjects that were asked for lately: the patterns that take them. */
  readonly #matching = new Map<string, readonly Subscription[]>();
  #turn = 0;

  add(one: Subscription): void {
    if (isPattern(one.pattern)) {
      this.#patterns.add(one);
      this.#matching.clear();
    } else this.#literal.set(one.pattern, (this.#literal.get(one.pattern) ?? new Set()).add(one));
  }

  remove(one: Subscription): void {
    if (this.#patterns.delete(one)) this.#matching.clear();
    const same = this.#literal.get(one.pattern);
    if (same?.delete(one) && same.size === 0) this.#literal.delete(one.pattern);
  }

  /**
   * Every plain subscription, and one of each queue group, that the server has.
   */
  receivers(subject: string): Subscription[] {
    const receivers: Subscription[] = [];
    const groups = new Map<string, Subscription[]>();
    const consider = (one: Subscription): void => {
      if (one.client.link === "noticed") return;
      if (one.queue === undefined) receivers.push(one);
      else groups.set(one.queue, [...(groups.get(one.queue) ?? []), one]);
    };
    this.#literal.get(subject)?.forEach(consider);
    this.#matches(subject).forEach(consider);
    for (const members of groups.values()) receivers.push(members[this.#turn++ % members.length]!);
    return receivers;
  }

  #matches(subject: string): readonly Subscription[] {
    const known = this.#matching.get(subject);
    if (known !== undefined) return known;
    const found = [...this.#patterns].filter(one => matchesSubject(one.pattern, subject));
    if (this.#matching.size >= SUBJECTS_KEPT) this.#matching.clear();
    this.#matching.set(subject, found);
    return found;
  }
}

function addTo<T>(set: Set<T>, item: T): BusSubscription {
  set.add(item);
  return { close: () => void set.delete(item) };
}

/** Whether the client counts itself as connected. */
function believes(client: Client): boolean {
  return client.link === "up" || client.link === "unnoticed";
}

function unavailable(name: string): BusError {
  return new BusError("unavailable", `${name} is not connected to the message bus: try again when it is.`);
}
