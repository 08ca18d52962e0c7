import { LARGE_SPEC_BYTES } from "@skep/core/model/assignment.ts";
import type { AssignedInstance, Assignment, Removal, VolumeRemoval } from "@skep/core/model/assignment.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { Unreadable } from "./envelope.ts";
import { specSize } from "./spec-name.ts";

/** How an assignment goes into one message. */
export interface Packing {
  readonly instances: readonly AssignedInstance[];
  readonly removals: readonly Removal[];
  readonly volumeRemovals: readonly VolumeRemoval[];
  /** Specs that are only named. */
  readonly named: ReadonlySet<DeploymentSpec>;
  /** Instances that did not fit, each with a sentence for people. */
  readonly leftOut: readonly Unreadable[];
}

/** Room for the fields around the lists. */
const AROUND_BYTES = 4 * 1024;
/**
 * What a list entry costs beside its own bytes, a spec's name, and an instance that is left out.
 */
const ENTRY_BYTES = 8;
const NAME_BYTES = 200;
/** The numbers of an instance, and those of a port. */
const NUMBERS_BYTES = 40;
const PORT_NUMBERS_BYTES = 16;
const LEFT_OUT_BYTES = 400;
/** What a volume costs beside its owner and name. */
const VOLUME_BYTES = 24;
const REMOVAL_BYTES = 400;
const LONGEST_REASON = 200;

/** An assignment as it is, for where nothing limits it: an agent's own disk. */
export function packWhole({ instances, removals, volumeRemovals }: Assignment): Packing {
  return { instances, removals, volumeRemovals, named: new Set(), leftOut: [] };
}

/**
 * Fits an assignment into `maxBytes`. Small specs are carried as long as there is room, the
 * smallest first; others are named. Only where the list of instances itself is too long are some
 * left out, the largest first, so that no instance costs its neighbours theirs; what must stop is
 * told before what must run.
 */
export function packAssignment(assignment: Assignment, maxBytes: number): Packing {
  let room = maxBytes - AROUND_BYTES;
  // Those that do not fit follow when the first are gone; so do those of volumes.
  const removals = assignment.removals
    .slice(0, Math.max(0, Math.floor(room / 8 / REMOVAL_BYTES)))
    .map(one => ({ ...one, because: one.because.slice(0, LONGEST_REASON) }));
  room -= removals.length * REMOVAL_BYTES;
  const volumeRemovals = assignment.volumeRemovals.slice(0, Math.max(0, Math.floor(room / 8 / REMOVAL_BYTES)));
  room -= volumeRemovals.length * REMOVAL_BYTES;
  const { kept, leftOut, used } = fitInstances(assignment.instances, room);
  return { instances: kept, removals, volumeRemovals, named: namedOf(kept, room - used), leftOut };
}

function fitInstances(
  instances: readonly AssignedInstance[],
  room: number,
): { readonly kept: readonly AssignedInstance[]; readonly leftOut: readonly Unreadable[]; readonly used: number } {
  const sized = instances.map(instance => ({ instance, bytes: entryBytes(instance) }));
  const all = sized.reduce((sum, one) => sum + one.bytes, 0);
  if (all <= room) return { kept: instances, leftOut: [], used: all };
  const order = sized.toSorted((a, b) => rank(a.instance) - rank(b.instance) || a.bytes - b.bytes);
  const kept = new Set<AssignedInstance>();
  const leftOut: Unreadable[] = [];
  // A part is kept for saying who is left out: a silence would look like an agent that does not
  // obey.
  let free = Math.floor((room * 7) / 8);
  let words = room - free;
  for (const { instance, bytes } of order) {
    if (bytes <= free) {
      free -= bytes;
      kept.add(instance);
    } else if (words >= LEFT_OUT_BYTES) {
      words -= LEFT_OUT_BYTES;
      leftOut.push({ instanceId: instance.instanceId, epoch: instance.epoch, because: becauseOf(bytes) });
    }
  }
  return { kept: instances.filter(one => kept.has(one)), leftOut, used: room - free };
}

const LEFT_OUT = "it is left out of what its node is told";

/** Whether an instance's message says that it did not fit into what its node is told. */
export function saysLeftOut(message: string): boolean {
  return message.startsWith(LEFT_OUT);
}

const rank = (instance: AssignedInstance): number => (instance.desired === "stop" ? 0 : 1);

function becauseOf(bytes: number): string {
  const size = `${Math.ceil(bytes / 1024)} KiB`;
  return `${LEFT_OUT}: its part takes ${size}, and the message has no room for it`;
}

/** An instance is the same object for as long as it is told alike (core's `assignmentOf`). */
const measured = new WeakMap<AssignedInstance, number>();

function entryBytes(instance: AssignedInstance): number {
  const bytes = measured.get(instance) ?? measure(instance);
  measured.set(instance, bytes);
  return bytes;
}

/** No fewer bytes than the instance takes: its numbers count as long as they can be. */
function measure({ instanceId, tenantId, ports, volumes }: AssignedInstance): number {
  const names = volumes.reduce((sum, one) => sum + VOLUME_BYTES + textBytes(one.owner) + textBytes(one.name), 0);
  const ids = textBytes(instanceId) + textBytes(tenantId) + names;
  const bound = ports.reduce((sum, { container }) => sum + PORT_NUMBERS_BYTES + textBytes(container), ids);
  return bound + NUMBERS_BYTES + ENTRY_BYTES + NAME_BYTES;
}

/** How long a text is in UTF-8, at most. */
function textBytes(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) bytes += text.charCodeAt(at) < 0x80 ? 1 : 3;
  return bytes;
}

function namedOf(instances: readonly AssignedInstance[], room: number): ReadonlySet<DeploymentSpec> {
  const specs = [...new Set(instances.map(one => one.spec))].map(spec => ({ spec, bytes: specSize(spec) }));
  const named = new Set<DeploymentSpec>();
  let free = room;
  for (const { spec, bytes } of specs.toSorted((a, b) => a.bytes - b.bytes)) {
    if (bytes <= LARGE_SPEC_BYTES && bytes + ENTRY_BYTES <= free) free -= bytes + ENTRY_BYTES;
    else named.add(spec);
  }
  return named;
}
