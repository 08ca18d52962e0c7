import type { BrokerSide } from "@skep/core/workspace/broker.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { insist } from "../users.ts";
import type { Platform } from "../platform.ts";

/** Where one gate has the devices of a workspace. */
interface Place {
  readonly side: BrokerSide;
  readonly serial: number;
}

/** A gate, which lets devices in at the broker that it heard of last. */
export interface SimGate {
  readonly name: string;
  /** It reaches no scheduler, and goes on as it is. */
  isCut: boolean;
  /** How often it asks. */
  asksMs: number;
  /** No scheduler has answered its last question. */
  readonly isUnheard: boolean;
  sideOf(workspaceId: WorkspaceId): BrokerSide;
}

/** How often a gate asks where devices are to be. */
export const ASKS_MS = 1_000;

/** Begins one: each second it asks where devices are to be, and tells where they are. */
export function startGate(platform: Platform, name: string, workspaceIds: () => readonly WorkspaceId[]): SimGate {
  const store = platform.database.connect(name);
  const places = new Map<WorkspaceId, Place>();
  let isUnheard = false;
  const gate: SimGate = {
    ...{ name, isCut: false, asksMs: ASKS_MS, sideOf: id => places.get(id)?.side ?? "shared" },
    get isUnheard() {
      return isUnheard || gate.isCut;
    },
  };
  let seq = 0;
  const look = async (): Promise<void> => {
    const brokers = await store.locateBrokers(workspaceIds(), 0);
    if (gate.isCut) return;
    for (const { workspaceId, side, serial } of brokers) {
      if (places.get(workspaceId)?.side !== side) platform.say(`${name} sends ${workspaceId} to ${side}`);
      places.set(workspaceId, { side, serial });
    }
    const told = [...places].map(([workspaceId, { serial }]) => ({ workspaceId, serial, connections: 1 }));
    await store.saveGateReport({ gateId: name, seq: ++seq, places: told }, platform.clock.now());
    isUnheard = false;
  };
  void (async () => {
    for (;;) {
      if (gate.isCut) isUnheard = true;
      else await insist(platform, "", look);
      await platform.clock.sleep(gate.asksMs);
    }
  })();
  return gate;
}
