import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import { CONFIRMATION_FILTERS, readConfirmationTopic } from "@skep/core/workspace/confirmation.ts";
import { ChannelError } from "../channel/failure.ts";
import { openSession, type Session, type SessionEvents } from "../channel/session.ts";
import type { ReaderSettings } from "../channel/settings.ts";
import { openSocket } from "../channel/socket.ts";
import { readDigests } from "../message-digest.ts";
import type { Published } from "../mqtt/publish-frame.ts";
import type { Broker } from "./brokers.ts";
import { createWaiting, type Waiting } from "./waiting.ts";

/** Where a gate hears what hosts have stored of what a broker was given. */
export interface Ear {
  readonly waiting: Waiting;
  /** Who is at the broker: `end` is called when nothing is heard there any more. */
  enter(end: () => void): () => void;
}

/** The ears of a gate, one at each broker where devices are. */
export interface Ears {
  /** Opens one where there is none; `undefined` where nothing can be heard. */
  at(broker: Broker): Promise<Ear | undefined>;
  /** Messages that wait, at all brokers. */
  readonly waiting: number;
  close(): void;
}

/** What they work with. */
export interface EarsOptions {
  readonly gateId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Opens a connection; one over a socket where it is absent. */
  readonly connect?: (broker: Broker, settings: ReaderSettings, events: SessionEvents) => Session;
}

const CONNECT_MS = 10_000;
const LOOK_MS = 1_000;
/** So long an ear is kept that nobody needs. */
const IDLE_MS = 30_000;
const KEEPALIVE_SECONDS = 15;

/** Opens none yet. */
export function createEars(options: EarsOptions): Ears {
  return new OfGate(options);
}

class OfGate implements Ears {
  readonly #options: EarsOptions;
  readonly #connect: NonNullable<EarsOptions["connect"]>;
  readonly #opening = new Map<string, Promise<Ear | undefined>>();
  readonly #sessions = new Map<Session, Waiting>();
  readonly #deaf = new Set<string>();

  constructor(options: EarsOptions) {
    this.#options = options;
    this.#connect = options.connect ?? overSocket(options.clock);
  }

  at(broker: Broker): Promise<Ear | undefined> {
    const key = JSON.stringify([broker.host, broker.port, broker.login.username, broker.login.password]);
    const known = this.#opening.get(key) ?? this.#open(broker, key);
    this.#opening.set(key, known);
    return known;
  }

  get waiting(): number {
    return [...this.#sessions.values()].reduce((sum, one) => sum + one.size, 0);
  }

  close(): void {
    for (const session of [...this.#sessions.keys()]) session.leave();
  }

  async #open(broker: Broker, key: string): Promise<Ear | undefined> {
    const { clock, log, gateId } = this.#options;
    const waiting = createWaiting(clock, log);
    const { promise: ready, resolve } = Promise.withResolvers<"ready">();
    const published = (message: Published): void => hear(message, waiting);
    const session = this.#connect(broker, settingsOf(broker, gateId), { ready: () => resolve("ready"), published });
    this.#sessions.set(session, waiting);
    // Devices that are away come back for what waits.
    const presence = createPresence(
      clock,
      () => waiting.size === 0,
      () => session.leave(),
    );
    const cancelLook = each(clock, LOOK_MS, () => waiting.look());
    const cancelLate = clock.timer(CONNECT_MS, () =>
      session.fail(new ChannelError("unreachable", `no answer within ${CONNECT_MS} ms`)),
    );
    const gone = session.ended.then(error => {
      cancelLate();
      cancelLook();
      this.#sessions.delete(session);
      this.#opening.delete(key);
      waiting.close();
      presence.end();
      return error;
    });
    const outcome = await Promise.race([ready, gone]);
    cancelLate();
    this.#say(broker, key, outcome === "ready" ? undefined : outcome.message);
    return outcome === "ready" ? { waiting, enter: presence.enter } : undefined;
  }

  #say({ host, port }: Broker, key: string, because: string | undefined): void {
    if ((because === undefined) !== this.#deaf.has(key)) return;
    const { log } = this.#options;
    if (because === undefined) {
      this.#deaf.delete(key);
      log.info("gate.hears", `The gate hears again what is stored of what ${host}:${port} takes.`);
    } else {
      this.#deaf.add(key);
      log.warn("gate.deaf", `Devices are not let in at ${host}:${port}, where nothing is heard: ${because}`);
    }
  }
}

function settingsOf({ login }: Broker, gateId: string): ReaderSettings {
  return {
    ...{ url: "", ...login, clientId: `skep-gate-${gateId}`, filters: CONFIRMATION_FILTERS },
    ...{ receiveMaximum: 65_535, sessionExpirySeconds: 0, keepaliveSeconds: KEEPALIVE_SECONDS },
  };
}

/** Who is at a broker; `leave` is called where nobody has been for long, and it may. */
function createPresence(clock: Clock, mayLeave: () => boolean, leave: () => void) {
  const present = new Set<() => void>();
  let isOver = false;
  // Whoever it was opened for may be gone by now.
  let cancelIdle = clock.timer(IDLE_MS, idle);
  function idle(): void {
    if (mayLeave()) leave();
    else cancelIdle = clock.timer(IDLE_MS, idle);
  }
  return {
    enter: (end: () => void) => {
      // It may end between its first word and whoever waited for that.
      if (isOver) queueMicrotask(end);
      cancelIdle();
      present.add(end);
      return (): void => {
        present.delete(end);
        cancelIdle();
        if (present.size === 0 && !isOver) cancelIdle = clock.timer(IDLE_MS, idle);
      };
    },
    /** What they published meanwhile would wait for what nobody hears. */
    end: (): void => {
      isOver = true;
      for (const end of [...present]) end();
      cancelIdle();
    },
  };
}

function hear({ topic, payload }: Published, waiting: Waiting): void {
  const told = readConfirmationTopic(topic);
  if (told?.kind === "stored") waiting.stored(told.workspaceId, readDigests(payload));
  if (told?.kind === "begun") waiting.begun(told.workspaceId);
}

function each(clock: Clock, ms: number, run: () => void): () => void {
  let cancel = clock.timer(ms, again);
  function again(): void {
    cancel = clock.timer(ms, again);
    run();
  }
  return () => cancel();
}

function overSocket(clock: Clock): NonNullable<EarsOptions["connect"]> {
  return ({ host, port }, settings, events) => openSession(openSocket({ host, port }), settings, clock, events);
}
