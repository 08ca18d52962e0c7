import type { Bus } from "@skep/kit/bus.ts";
import { sleepBy, type Clock } from "@skep/kit/clock.ts";
import type { VirtualClock } from "@skep/kit/virtual-clock.ts";

/**
 * One life of a simulated process. All that it does goes through its clock, its bus and its ports,
 * so that it can be killed between any two awaits: what it waits for then never comes, as if the
 * machine had been switched off.
 */
export interface Life {
  readonly name: string;
  readonly clock: Clock;
  alive(): boolean;
  kill(): void;
  /** Stops it as SIGSTOP does: nothing runs until `resume`, then everything that was due does. */
  pause(): void;
  resume(): void;
  paused(): boolean;
  /** Moves its wall clock; measured durations are not touched. */
  jump(byMs: number): void;
  /** Ms that it has run, pauses left out. */
  ranMs(): number;
  /**
   * Runs `task` if it is alive, now or after the pause; timers that came due in a pause go before
   * messages.
   */
  run(kind: "timer" | "message", task: () => void): void;
}

/** Begins a life on the world's clock; its own goes faster or slower by `rate`. */
export function createLife(name: string, world: VirtualClock, rate = 1): Life {
  const bornAt = world.monotonic();
  let alive = true;
  let skewMs = 0;
  let pausedAt: number | undefined;
  let pausedMs = 0;
  const held = { timer: [] as (() => void)[], message: [] as (() => void)[] };
  /** How many of those held are let go this very moment. */
  let going = 0;

  function run(kind: "timer" | "message", task: () => void): void {
    // What comes while the held is let go waits behind it, as on a socket.
    if (pausedAt === undefined && going > 0) letGo(kind, task);
    else runOrHold(kind, task);
  }

  function runOrHold(kind: "timer" | "message", task: () => void): void {
    if (!alive) return;
    if (pausedAt === undefined) task();
    else held[kind].push(task);
  }

  function letGo(kind: "timer" | "message", task: () => void): void {
    going += 1;
    world.timer(0, () => {
      going -= 1;
      runOrHold(kind, task);
    });
  }

  const clock: Clock = {
    now: () => world.now() + skewMs,
    monotonic: () => world.monotonic() * rate,
    timer: (delayMs, task) => {
      let cancelled = false;
      // Whole, or what is left of a wait could be too little for the world's clock to go on by.
      const cancel = world.timer(rate === 1 ? delayMs : Math.ceil(delayMs / rate), () =>
        run("timer", () => void (cancelled || task())),
      );
      return () => {
        cancelled = true;
        cancel();
      };
    },
    sleep: (delayMs, signal) => sleepBy(clock.timer, delayMs, signal),
  };

  return {
    name,
    clock,
    alive: () => alive,
    kill: () => {
      alive = false;
    },
    pause: () => {
      pausedAt ??= world.monotonic();
    },
    resume: () => {
      if (pausedAt === undefined) return;
      pausedMs += world.monotonic() - pausedAt;
      pausedAt = undefined;
      // Node's event loop looks at its timers before it reads its sockets; one at a time, each with
      // all that it sets off.
      for (const kind of ["timer", "message"] as const) {
        for (const task of held[kind].splice(0)) letGo(kind, task);
      }
    },
    paused: () => pausedAt !== undefined,
    jump: byMs => {
      skewMs += byMs;
    },
    ranMs: () => (pausedAt ?? world.monotonic()) - bornAt - pausedMs,
    run,
  };
}

/**
 * What stands between a process and one of its ports: it may wait, note, and throw in the place of
 * the port.
 */
export interface Gate {
  before(verb: string, args: readonly unknown[]): Promise<void>;
  after(verb: string, args: readonly unknown[], result: unknown): Promise<void>;
  /** The port threw. */
  failed?(verb: string, args: readonly unknown[]): void;
}

/**
 * The port as a life sees it: every asynchronous verb passes the gate on its way there and back. A
 * dead process gets no answer, and one that is paused gets it when it goes on, as a socket keeps
 * what nobody reads. Verbs in `direct` answer at once and are called as they are.
 */
export function throughGate<T extends object>(port: T, life: Life, gate: Gate, direct: readonly (keyof T)[] = []): T {
  const call = async (verb: string, args: readonly unknown[]): Promise<unknown> => {
    if (!life.alive()) return never();
    await gate.before(verb, args);
    const method = port[verb as keyof T] as (...args: unknown[]) => Promise<unknown>;
    try {
      const result = await method.apply(port, [...args]);
      await gate.after(verb, args, result);
      return result;
    } catch (error) {
      gate.failed?.(verb, args);
      throw error;
    } finally {
      if (!life.alive()) await never();
      if (life.paused()) await new Promise<void>(resolve => life.run("message", resolve));
    }
  };
  const gated = new Map<string | symbol, unknown>();
  return new Proxy(port, {
    get: (_, name) => {
      const known = gated.get(name);
      if (known !== undefined) return known;
      const member = port[name as keyof T];
      if (typeof member !== "function") return member;
      const verb = String(name);
      const through = direct.includes(name as keyof T)
        ? (member.bind(port) as unknown)
        : (...args: readonly unknown[]) => call(verb, args);
      gated.set(name, through);
      return through;
    },
  });
}

/**
 * The bus as a life sees it: messages wait while it is paused, and a dead process neither hears nor
 * says anything.
 */
export function busOfLife(bus: Bus, life: Life, heard: (subject: string, data: Uint8Array) => void): Bus {
  return {
    publish: (subject, data, options) => {
      if (life.alive()) bus.publish(subject, data, options);
    },
    subscribe: (pattern, handle, options) =>
      bus.subscribe(
        pattern,
        message =>
          life.run("message", () => {
            heard(message.subject, message.data);
            handle(message);
          }),
        options,
      ),
    request: async (subject, data, options) => {
      if (!life.alive()) return never();
      try {
        return await bus.request(subject, data, options);
      } finally {
        if (!life.alive()) await never();
        await new Promise<void>(resolve => life.run("message", resolve));
      }
    },
    inbox: () => bus.inbox(),
    maxPayload: () => bus.maxPayload(),
    connected: () => bus.connected(),
    onStatus: handle => bus.onStatus(connected => life.run("message", () => handle(connected))),
    close: () => bus.close(),
  };
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
