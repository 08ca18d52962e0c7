import type { Mode } from "./connector.ts";
import type { Host, HostId, WorkspaceLocation } from "./host.ts";
import type { WorkspaceRecord } from "./record.ts";
import { isOver, MIGRATION_TIMES, ordersOf, surelyBefore } from "./migration.ts";
import type {
  CompareOrder,
  Comparison,
  Migration,
  MigrationFacts,
  MigrationStage,
  MigrationTimes,
  Side,
} from "./migration-state.ts";

/** What a host is told about its half of a move. */
export interface MoveOrder {
  readonly stage: MigrationStage;
  /** Its reports name it, so that what it says of an older step does not count. */
  readonly step: number;
  /** Which half it is. */
  readonly side: Side;
  /** Where the other half answers, as `host:port`; empty while there is none. */
  readonly peer: string;
  /** It gives the other half what was received since then, ms; absent where it copies nothing. */
  readonly copySince?: number;
  /** It stores at the other half too, before it acknowledges. */
  readonly storesBoth: boolean;
  /** It compares both databases; absent where it does not. */
  readonly compare?: CompareOrder;
}

/** What a host says of its half of a move, in one step. */
export interface MoveFacts {
  readonly step: number;
  /** Its database answers. */
  readonly isReady: boolean;
  /** Its session is at its broker, which keeps what devices send for it. */
  readonly isSubscribed: boolean;
  /** Documents that the other half surely has, by this host's copying. */
  readonly copied: number;
  /** Documents that there are to copy, about. */
  readonly total: number;
  /** Everything that was there when it began to copy is at the other half. */
  readonly isCopied: boolean;
  /** What the other half lacked when all was last looked through; absent where it never was. */
  readonly lacking?: number;
  /** It stores into both before it acknowledges, and nothing is under way that it does not. */
  readonly isBoth: boolean;
  /**
   * How long it has had nothing left to read in this step, ms; absent where it has, or does not
   * read.
   */
  readonly quietMs?: number;
  readonly comparison?: Comparison;
  /** What went wrong and mends itself no more; empty for nothing. */
  readonly fault: string;
  /** Why it gets no further at present; empty where it does. No secret. */
  readonly waiting: string;
}

/** What a move is decided on. */
export interface MoveWorld {
  /** Of this workspace. */
  readonly locations: readonly MovingLocation[];
  readonly hosts: ReadonlyMap<HostId, MovingHost>;
  /** Gates that may have devices of the workspace at the broker that they are to leave. */
  readonly gatesBehind: readonly string[] | undefined;
}

/** A placement with what its host says of the move. */
export interface MovingLocation extends WorkspaceLocation {
  readonly move?: MoveFacts;
}

/** A host as far as a move depends on it. */
export interface MovingHost extends Pick<Host, "liveness"> {
  /** The one workspace that it may run; `undefined` for a shared one. */
  readonly workspaceId: string | undefined;
}

/** The mode whose hosts a host is one of. */
export function modeOfHost({ workspaceId }: Pick<MovingHost, "workspaceId">): Mode {
  return workspaceId === undefined ? "shared" : "standalone";
}

/** Which half of a move the hosts of a mode are. */
export function sideOf({ from }: Pick<Migration, "from">, mode: Mode): Side {
  return mode === from ? "source" : "target";
}

/** What is known of a move, by the records. What a host says of another step does not count. */
export function factsOf(move: Migration, world: MoveWorld): MigrationFacts {
  const { reader } = ordersOf(move);
  const halves = { source: halfOf(move, world, "source"), target: halfOf(move, world, "target") };
  const said = { source: inStep(move, halves.source), target: inStep(move, halves.target) };
  const { source, target } = said;
  const reads = reader === undefined ? undefined : said[reader];
  const copier = move.stage === "back" ? target : source;
  const fault = [source, target].flatMap(one => (one === undefined || one.fault === "" ? [] : [one.fault]))[0] ?? "";
  return {
    isReady: { source: halves.source?.move?.isReady ?? false, target: halves.target?.move?.isReady ?? false },
    targetIsSubscribed: halves.target?.move?.isSubscribed ?? false,
    copied: copier?.copied ?? move.copied,
    isCopied: source?.isCopied ?? false,
    lacks: { target: source?.lacking, source: target?.lacking },
    isBoth: reads?.isBoth ?? false,
    mayRead: { source: mayRead(move, world, "source"), target: mayRead(move, world, "target") },
    gatesBehind: world.gatesBehind,
    quietMs: reads?.quietMs,
    comparison: reads?.comparison,
    fault,
  };
}

/** What runs of the workspace at a side, on a host that is heard. */
function halfOf(move: Migration, { locations, hosts }: MoveWorld, side: Side): MovingLocation | undefined {
  return locations.find(one => {
    const host = hosts.get(one.hostId);
    if (host === undefined || host.liveness === "down" || one.state !== "running") return false;
    return sideOf(move, modeOfHost(host)) === side;
  });
}

function inStep({ step }: Migration, half: MovingLocation | undefined): MoveFacts | undefined {
  return half?.move?.step === step ? half.move : undefined;
}

/** Whether a reader that may still read is at a side; one that was let go of is over. */
function mayRead(move: Migration, { locations, hosts }: MoveWorld, side: Side): boolean {
  return locations.some(one => {
    const host = hosts.get(one.hostId);
    if (one.role === "standby" || one.state === "stopped" || host === undefined) return false;
    return sideOf(move, modeOfHost(host)) === side;
  });
}

/** Where a half is called, out of its host's record; empty where it is not known. */
export function peerOf(host: { readonly address: string; readonly port: number } | null | undefined): string {
  if (host === null || host === undefined || host.address === "" || host.port === 0) return "";
  return `${host.address.includes(":") ? `[${host.address}]` : host.address}:${host.port}`;
}

/**
 * Where a host calls the other half of a move. A pod reaches no shared host but by the edge of its
 * own node; `edgePort` is that edge's, `undefined` where standalone hosts are no pods.
 */
export function peerFor(
  mode: Mode,
  own: { readonly address: string; readonly edgePort: number | undefined },
  other: { readonly address: string; readonly port: number } | null | undefined,
): string {
  const { address, edgePort } = own;
  if (mode === "shared" || edgePort === undefined || peerOf(other) === "") return peerOf(other);
  return peerOf({ address, port: edgePort });
}

/** What a host of this mode is told; `undefined` where the move is over. */
export function moveOrder(
  move: Migration | undefined,
  mode: Mode,
  peer: string,
  times: MigrationTimes = MIGRATION_TIMES,
): MoveOrder | undefined {
  if (move === undefined || isOver(move)) return undefined;
  const { stage, step, startedAt } = move;
  const { reader, copyTo, storesBoth, compare } = ordersOf(move, times);
  const side = sideOf(move, mode);
  const isReader = side === reader;
  const copies = copyTo !== undefined && copyTo !== side;
  const copySince = copyTo === "source" ? surelyBefore(startedAt) : 0;
  return {
    ...{ stage, step, side, peer, storesBoth: storesBoth && isReader },
    ...(copies ? { copySince } : {}),
    ...(compare === undefined || !isReader ? {} : { compare }),
  };
}

/** A half of a workspace that has to run somewhere. */
export interface WantedHalf {
  readonly mode: Mode;
  readonly role: "reader" | "standby";
}

/** Which halves of a workspace have to run, by its mode and its move. */
export function wantedHalves(mode: Mode, move: Migration | undefined): readonly WantedHalf[] {
  if (move === undefined || isOver(move)) return [{ mode, role: "reader" }];
  const { reader, standby } = ordersOf(move);
  const modes = { source: move.from, target: move.to };
  return [
    ...(reader === undefined ? [] : [{ mode: modes[reader], role: "reader" } as const]),
    ...standby.map(side => ({ mode: modes[side], role: "standby" }) as const),
  ];
}

/**
 * Whether a workspace runs, as it is wanted to and by its move: one that is stopped while it moves
 * goes back first. Where it cannot go back at present (`apart`) it stops, and goes on from there.
 */
export function hasToRun(desired: WorkspaceRecord["desired"], move: Pick<Migration, "stage"> | undefined): boolean {
  if (desired !== "stopped") return desired === "run";
  return move !== undefined && !isOver(move) && move.stage !== "apart";
}

/** Whether a workspace needs a host, a broker and a database of its own. */
export function needsOwn(mode: Mode, move: Pick<Migration, "stage"> | undefined): boolean {
  return mode === "standalone" || (move !== undefined && !isOver(move));
}
