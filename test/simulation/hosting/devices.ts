import type { BrokerSide } from "@skep/core/workspace/broker.ts";
import type { Platform } from "../platform.ts";
import type { SimBroker, SimMessage } from "./broker.ts";
import type { SimDatabases } from "./databases.ts";
import type { SimGate } from "./gates.ts";

const MOST_AT_ONCE = 3;

/** Where messages of a workspace wait, and where they are stored. */
export interface Half {
  readonly broker: SimBroker;
  readonly databases: SimDatabases;
}

/** The devices of workspaces: each message has a number, and is repeated until it is taken. */
export class Devices {
  readonly #platform: Platform;
  readonly #halves: Readonly<Record<BrokerSide, Half>>;
  readonly #gates: readonly SimGate[];
  /** What a broker has acknowledged, by workspace. */
  readonly #taken = new Map<string, SimMessage[]>();

  constructor(platform: Platform, halves: Readonly<Record<BrokerSide, Half>>, gates: readonly SimGate[]) {
    this.#platform = platform;
    this.#halves = halves;
    this.#gates = gates;
  }

  /** Devices of one workspace send something, again and again, whether or not it is read. */
  async send(workspaceId: string): Promise<void> {
    const { clock } = this.#platform;
    const chance = this.#platform.chance(`devices of ${workspaceId}`);
    const taken: SimMessage[] = [];
    this.#taken.set(workspaceId, taken);
    for (;;) {
      await clock.sleep(chance.between(300, 2_000));
      const gate = this.#gates.length === 0 ? undefined : chance.pick(this.#gates);
      const { broker } = this.#halves[gate?.sideOf(workspaceId) ?? "shared"];
      for (let left = chance.whole(1, MOST_AT_ONCE); left > 0; left--) {
        const message = { workspaceId, number: taken.length + 1, at: clock.now() };
        const became = broker.publish(message);
        // What comes before anybody has ever read the workspace nobody wants.
        if (became === "kept" || (became === "dropped" && taken.length > 0)) taken.push(message);
      }
    }
  }

  /**
   * What was acknowledged to a device, and is neither stored where the workspace is nor kept by the
   * broker there.
   */
  lost(workspaceId: string, side: BrokerSide): readonly string[] {
    const { broker, databases } = this.#halves[side];
    const waiting = new Set(broker.waiting(workspaceId).map(one => one.number));
    const lost = (this.#taken.get(workspaceId) ?? []).filter(
      one => databases.count(workspaceId, one.number) === 0 && !waiting.has(one.number),
    );
    return lost.map(
      one => `message ${one.number} of ${workspaceId} was acknowledged to its device, and nobody has it (${side})`,
    );
  }

  /** Workspaces whose devices send. */
  workspaces(): readonly string[] {
    return [...this.#taken.keys()];
  }
}
