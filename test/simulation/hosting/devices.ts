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

/** A message that its device has no answer to yet. */
interface HeldMessage {
  readonly message: SimMessage;
  readonly gate: SimGate;
  /** The broker that it was sent to. */
  readonly side: BrokerSide;
}

/** The devices of workspaces: each message has a number, and is repeated until it is taken. */
export class Devices {
  readonly #platform: Platform;
  readonly #halves: Readonly<Record<BrokerSide, Half>>;
  readonly #gates: readonly SimGate[];
  /** What a broker has acknowledged, by workspace. */
  readonly #taken = new Map<string, SimMessage[]>();
  /** What went through a gate that was not heard, which answers once it is stored. */
  readonly #held = new Map<string, readonly HeldMessage[]>();

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
    let number = 1;
    for (;;) {
      await clock.sleep(chance.between(300, 2_000));
      this.#answerHeld(workspaceId, taken);
      const gate = this.#gates.length === 0 ? undefined : chance.pick(this.#gates);
      const side = gate?.sideOf(workspaceId) ?? "shared";
      for (let left = chance.whole(1, MOST_AT_ONCE); left > 0; left--) {
        const message = { workspaceId, number, at: clock.now() };
        if (gate?.isUnheard === true) {
          this.#hold({ message: { ...message, hasId: true }, gate, side });
          number += 1;
          continue;
        }
        const became = this.#halves[side].broker.publish(message);
        // What comes before anybody has ever read the workspace nobody wants.
        if (became === "away" || (became === "dropped" && taken.length === 0)) continue;
        taken.push(message);
        number += 1;
      }
    }
  }

  #hold(held: HeldMessage): void {
    const { message, side } = held;
    this.#halves[side].broker.publish(message);
    this.#held.set(message.workspaceId, [...(this.#held.get(message.workspaceId) ?? []), held]);
  }

  /** What is stored is answered; what is not is sent again, once its gate is heard. */
  #answerHeld(workspaceId: string, taken: SimMessage[]): void {
    const held = this.#held.get(workspaceId) ?? [];
    this.#held.set(workspaceId, []);
    for (const one of held) {
      const { message, gate, side } = one;
      if (this.#halves[side].databases.count(workspaceId, message.number) > 0) taken.push(message);
      else if (gate.isUnheard) this.#held.set(workspaceId, [...(this.#held.get(workspaceId) ?? []), one]);
      else this.#again(message, gate, taken, one);
    }
  }

  #again(message: SimMessage, gate: SimGate, taken: SimMessage[], held: HeldMessage): void {
    const again = { ...message, at: this.#platform.clock.now() };
    const side = gate.sideOf(message.workspaceId);
    if (this.#halves[side].broker.publish(again) === "kept") taken.push(again);
    else this.#held.set(message.workspaceId, [...(this.#held.get(message.workspaceId) ?? []), held]);
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
