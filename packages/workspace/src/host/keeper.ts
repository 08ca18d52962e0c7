import { whyRefused, type HostAssignment } from "@skep/core/workspace/host-assignment.ts";
import type { AppliedAssignment, HostedStatus, WorkspaceEpoch } from "@skep/core/workspace/host-report.ts";
import type { HostId } from "@skep/core/workspace/host.ts";
import { Lane, type LanePorts } from "./lane.ts";

/** Keeps this host's workspaces as it is told; what it is not told of it does not touch. */
export interface Keeper {
  /** Takes an assignment, unless it is older than the one that it works by. */
  take(assignment: HostAssignment): void;
  /** The records say, at this revision, that these are not this host's any more. */
  ended(epochs: readonly WorkspaceEpoch[], revision: number): void;
  applied(): AppliedAssignment;
  statuses(): readonly HostedStatus[];
  /** Lets go of everything. */
  close(): Promise<void>;
}

/** Ends of placements are remembered for so many workspaces, the latest ones. */
const MOST_OVER = 10_000;
const NOTHING: AppliedAssignment = { incarnation: "", term: 0, revision: 0 };

/** A placement that was over at a revision of the records. */
interface Over {
  readonly epoch: number;
  readonly revision: number;
}

function isNamed(held: HostAssignment | undefined, id: string, epoch: number): boolean {
  return held?.workspaces.some(one => one.id === id && one.epoch === epoch) === true;
}

/** Makes one without any workspace. It keeps nothing on disk: a host that begins owns nothing. */
export function createKeeper(ports: LanePorts, hostId: HostId): Keeper {
  const { log } = ports;
  const lanes = new Map<string, Lane>();
  /** By workspace, the latest placement that was over: what comes late begins nothing. */
  const over = new Map<string, Over>();
  let held: HostAssignment | undefined;

  let isClosed = false;

  function take(assignment: HostAssignment): void {
    if (isClosed) return;
    const because = whyRefused(held, assignment, hostId);
    if (because !== undefined) {
      log.warn("assignment.refused", "An assignment was not taken; this host goes on as it is.", { because });
      return;
    }
    held = assignment;
    for (const workspace of assignment.workspaces) {
      const last = over.get(workspace.id);
      // A workspace that was deleted and made again under its id is placed from 1 on again.
      const isAnew = last !== undefined && assignment.revision > last.revision;
      if (last !== undefined && !isAnew && workspace.epoch <= last.epoch) continue;
      const lane = lanes.get(workspace.id);
      if (lane === undefined) lanes.set(workspace.id, new Lane(ports, workspace));
      else {
        const why = lane.want(workspace, isAnew);
        if (why !== undefined)
          log.debug("workspace.refused", "A part of an assignment was not taken.", { because: why });
      }
    }
    ports.onChange();
  }

  function forgetGone(): void {
    for (const [id, lane] of lanes) if (lane.isGone) lanes.delete(id);
  }

  return {
    take,
    ended: (epochs, revision) => {
      for (const { workspaceId, epoch } of epochs) {
        // The answer is older than what names it: the next one says whether it is over since.
        if (revision < (held?.revision ?? 0) && isNamed(held, workspaceId, epoch)) continue;
        const lane = lanes.get(workspaceId);
        over.delete(workspaceId);
        over.set(workspaceId, { epoch, revision });
        if (lane?.epoch === epoch) lane.end();
      }
      for (const id of over.keys()) {
        if (over.size <= MOST_OVER) break;
        over.delete(id);
      }
      forgetGone();
    },
    applied: () =>
      held === undefined ? NOTHING : { incarnation: held.incarnation, term: held.term, revision: held.revision },
    statuses: () => {
      forgetGone();
      return [...lanes.values()].map(lane => lane.status());
    },
    close: async () => {
      isClosed = true;
      await Promise.all([...lanes.values()].map(lane => lane.close()));
      forgetGone();
    },
  };
}
