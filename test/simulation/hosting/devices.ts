import type { Platform } from "../platform.ts";
import type { SimBroker, SimMessage } from "./broker.ts";
import type { SimDatabases } from "./databases.ts";

const MOST_AT_ONCE = 3;

/** The devices of workspaces: each message has a number, and is repeated until it is taken. */
export class Devices {
  readonly #platform: Platform;
  readonly #broker: SimBroker;
  /** What the broker has acknowledged, by workspace. */
  readonly #taken = new Map<string, SimMessage[]>();

  constructor(platform: Platform, broker: SimBroker) {
    this.#platform = platform;
    this.#broker = broker;
  }

  /** Devices of one workspace send something, again and again, whether or not it is read. */
  async send(workspaceId: string): Promise<void> {
    const { clock } = this.#platform;
    const chance = this.#platform.chance(`devices of ${workspaceId}`);
    const taken: SimMessage[] = [];
    this.#taken.set(workspaceId, taken);
    for (;;) {
      await clock.sleep(chance.between(300, 2_000));
      for (let left = chance.whole(1, MOST_AT_ONCE); left > 0; left--) {
        const message = { workspaceId, number: taken.length + 1, at: clock.now() };
        if (this.#broker.publish(message)) taken.push(message);
      }
    }
  }

  /** What was acknowledged to a device, and is neither stored nor kept by the broker any more. */
  lost(databases: SimDatabases): readonly string[] {
    return [...this.#taken].flatMap(([id, all]) => {
      const waiting = new Set(this.#broker.waiting(id).map(one => one.number));
      const lost = all.filter(one => databases.count(id, one.number) === 0 && !waiting.has(one.number));
      return lost.map(one => `message ${one.number} of ${id} was acknowledged to its device, and nobody has it`);
    });
  }
}
