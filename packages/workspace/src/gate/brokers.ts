import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { BrokerLogin } from "./connect-packet.ts";

/** A broker, and who the gate is there. */
export interface Broker {
  readonly host: string;
  readonly port: number;
  readonly login: BrokerLogin;
}

/** Where the devices of a workspace are to be, as a scheduler said it. */
export interface ToldBroker {
  readonly workspaceId: WorkspaceId;
  /** Grows each time that they are sent elsewhere. */
  readonly serial: number;
  /** `shared`: that of all. `nowhere`: the workspace has its own, which runs nowhere at present. */
  readonly broker: Broker | "shared" | "nowhere";
  /** Whether it is to be told of, though nobody is connected. */
  readonly isSwitched: boolean;
}

/** Where devices are let in by now. */
export interface Place {
  readonly serial: number;
  /** `undefined` while the broker runs nowhere. */
  readonly broker: Broker | undefined;
}

/** What the gate was told of brokers. */
export interface Brokers {
  /** Takes what a scheduler said. What is older than what is known changes nothing. */
  note(told: readonly ToldBroker[]): void;
  /** `undefined` while nothing was told of the workspace. */
  of(workspaceId: WorkspaceId): Place | undefined;
}

/**
 * Makes one; `shared` is the broker of all. Nothing is forgotten: a platform has few workspaces.
 */
export function createBrokers(shared: Broker): Brokers {
  const known = new Map<WorkspaceId, Place>();
  return {
    note: all => {
      for (const { workspaceId, serial, broker } of all) {
        // The answer to an older question may come later: nobody is let in by it any more.
        if (serial < (known.get(workspaceId)?.serial ?? 0)) continue;
        known.set(workspaceId, {
          serial,
          broker: broker === "shared" ? shared : broker === "nowhere" ? undefined : broker,
        });
      }
    },
    of: workspaceId => known.get(workspaceId),
  };
}

/**
 * Whether a connection that was opened at one place is where it is to be. While the broker runs
 * nowhere it is left alone: it ends by itself.
 */
export function isInPlace(at: Place, now: Place | undefined): boolean {
  if (now?.broker === undefined) return true;
  const [a, b] = [at.broker, now.broker];
  return at.serial === now.serial && a?.host === b.host && a.port === b.port && a.login.password === b.login.password;
}
