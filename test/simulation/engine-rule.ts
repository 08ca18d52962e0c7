import { isExclusiveName } from "./volume-rule.ts";
import type { MemoryContainer } from "@skep/agent/engine/memory-container.ts";
import type { JournalEntry } from "@skep/agent/loop/journal.ts";
import type { AssignedInstance, Assignment } from "@skep/core/model/assignment.ts";

/**
 * A step that was decided a moment ago may still be under way when the next assignment is on disk.
 */
const UNDER_WAY_MS = 1_500;

/**
 * Deployment of the strays that come in a herd: so many that the records are likelier wrong, hence
 * never removed.
 */
export const HERD = "acme.herd";

interface Restored {
  readonly incarnation: string;
  /** What the node ran by the records that are gone. */
  readonly spared: readonly string[];
  /** What those records had told it. */
  readonly told: ReadonlySet<string>;
  /** Whether a scheduler has had a beat of it since: until then nobody can know what it runs. */
  isHeard: boolean;
}

interface Replaced {
  readonly assignment: Assignment | undefined;
  readonly atMs: number;
}

/**
 * Watches what one agent takes and does. It takes no assignment that is older than the one it has.
 * It makes only what the assignment in its journal tells it to run. It ends only what that one
 * tells it to stop or to remove, what a newer copy of the same instance has replaced, containers of
 * a pod that have to be made anew, and what is unwell.
 */
export class EngineRule {
  readonly #nodeId: string;
  readonly #sent = new Set<string>();
  /** Highest epoch that the journal ever held of each instance. */
  #epochs = new Map<string, number>();
  #held: Assignment | undefined;
  #replaced: readonly Replaced[] = [];
  #ranMs: () => number = () => 0;
  /** What other records took the place of, while they know less than this node. */
  #restored: Restored | undefined;
  #isRestored = false;
  readonly #told = new Set<string>();
  readonly #doubled = new Set<string>();

  constructor(nodeId: string) {
    this.#nodeId = nodeId;
  }

  /** A life of the agent begins with what its journal holds; `ranMs` is that life's own time. */
  begins({ assignment }: JournalEntry, ranMs: () => number): void {
    this.#held = assignment;
    this.#replaced = [];
    this.#ranMs = ranMs;
  }

  /** What the agent works by. */
  held(): Assignment | undefined {
    return this.#held;
  }

  /**
   * The journal is gone with everything that the node has ever seen: no records know less, and
   * the names of what it runs may be given again.
   */
  forgets(): void {
    this.#epochs = new Map();
    for (const name of this.#restored?.spared ?? []) this.#doubled.add(name);
    this.#restored = undefined;
  }

  /** A scheduler got a beat of the agent. */
  isHeard(): void {
    if (this.#restored !== undefined) this.#restored.isHeard = true;
  }

  /** A plan places this copy anywhere. */
  placed(copy: { readonly instanceId: string; readonly epoch: number }): void {
    const { isHeard = true, spared = [] } = this.#restored ?? {};
    if (!isHeard && spared.includes(nameOf(copy))) this.#doubled.add(nameOf(copy));
  }

  /** Whether what it runs got its name again while nobody could hear of it. */
  isDoubled(copy: { readonly instanceId: string; readonly epoch: number }): boolean {
    return this.#doubled.size > 0 && this.#doubled.has(nameOf(copy));
  }

  /** Other records took the place of those that it works by. */
  restores(incarnation: string, revision: number): void {
    this.#isRestored = true;
    const held = this.#held;
    // Under a term alone nothing was told: records of the same revision know all that it does.
    const isAhead = held !== undefined && (held.incarnation !== incarnation || held.revision > revision);
    if (!isAhead) return;
    const spared = held.instances.filter(one => one.desired === "run").map(nameOf);
    this.#restored = { incarnation, spared, told: new Set(this.#told), isHeard: false };
  }

  /** An assignment left a scheduler for this node. */
  sent(assignment: Told): void {
    for (const one of assignment.instances) this.#sent.add(nameOf(one));
    this.#told.add(numberOf(assignment));
  }

  /** The agent is about to write this to its journal: it has taken it. */
  brokenByTaking({ assignment }: JournalEntry): string | undefined {
    const held = this.#held;
    if (assignment === undefined || assignment === held) return undefined;
    if (assignment.nodeId !== this.#nodeId) return `${this.#nodeId} takes what is meant for ${assignment.nodeId}`;
    const isOther = held !== undefined && held.incarnation !== "" && assignment.incarnation !== held.incarnation;
    if (isOther && !assignment.succeeds.includes(held.incarnation))
      return `${this.#nodeId} takes an assignment of the records ${assignment.incarnation} after one of ${held.incarnation}`;
    if (held !== undefined && !isOther && isOlder(assignment, held)) {
      const of = (one: Assignment): string => `term ${one.term}, revision ${one.revision}`;
      return `${this.#nodeId} takes an assignment of ${of(assignment)} after one of ${of(held)}`;
    }
    const ended = this.#endedByRestored(assignment);
    if (ended !== undefined)
      return `${this.#nodeId} takes the end of ${ended} from records that were put back and know less than it`;
    const fenced = assignment.instances.find(
      one => one.desired === "run" && one.epoch < (this.#epochs.get(one.instanceId) ?? 0),
    );
    if (fenced === undefined) return undefined;
    return `${this.#nodeId} is to run ${nameOf(fenced)} after it had taken epoch ${this.#epochs.get(fenced.instanceId)}`;
  }

  /** The journal holds it now, or the disk would not take it and the agent goes on without. */
  kept({ assignment }: JournalEntry): void {
    if (assignment === this.#held) return;
    const atMs = this.#ranMs();
    this.#replaced = [...this.#replaced, { assignment: this.#held, atMs }].filter(
      one => one.atMs >= atMs - UNDER_WAY_MS,
    );
    this.#held = assignment;
    for (const { instanceId, epoch } of assignment?.instances ?? []) {
      this.#epochs.set(instanceId, Math.max(epoch, this.#epochs.get(instanceId) ?? 0));
    }
  }

  /** The agent is about to make a container of this instance. */
  brokenByMaking(instanceId: string, epoch: number): string | undefined {
    const name = nameOf({ instanceId, epoch });
    if (this.#some(one => nameOf(one) === name && one.desired === "run")) return undefined;
    if (!this.#sent.has(name)) return `${this.#nodeId} makes ${name}, which no assignment told it to run`;
    return `${this.#nodeId} makes ${name}, which nothing tells it to run before it was on disk, or no more`;
  }

  /**
   * The agent is about to stop or remove this container; `isWell` says what its health check would.
   */
  brokenByEnding(container: MemoryContainer, isWell: boolean): string | undefined {
    if (container.state !== "running" || !isWell) return undefined;
    const { identity } = container;
    if (identity === undefined) return `${this.#nodeId} ends ${container.name}, which is none of ours`;
    const { instanceId, epoch, role } = identity;
    const name = nameOf(identity);
    if (instanceId.startsWith(HERD))
      return `${this.#nodeId} removes ${name}, one of many at once that no record explains`;
    if (this.#some(one => nameOf(one) === name && one.desired === "stop")) return undefined;
    if (this.#some(one => one.instanceId === instanceId && one.epoch > epoch)) return undefined;
    if (this.#present().some(one => one?.removals.some(removal => nameOf(removal) === name))) return undefined;
    // An agent that cannot renew the lease of an exclusive copy ends it by itself.
    if (isExclusiveName(identity.deploymentId)) return undefined;
    // A pod's containers are made anew when their sandbox is another one, and a sandbox when it has
    // lost its own.
    const isPod = role === "sandbox" || container.joins !== undefined;
    if (isPod && this.#some(one => nameOf(one) === name)) return undefined;
    // What a restart forgot and a recovery adopted is known by its instance alone, and made anew.
    if (this.#isRestored && this.#some(one => nameOf(one) === name)) return undefined;
    // An instance with so many attempts and no more may have been given up, and then nothing of it
    // serves.
    if (this.#some(one => nameOf(one) === name && one.spec.restart.maxAttempts !== undefined)) return undefined;
    return `${this.#nodeId} ends ${name}, which nobody told it to end`;
  }

  /** Until a person recovers them, and gives them another incarnation, such records end nothing. */
  #endedByRestored(assignment: Assignment): string | undefined {
    const restored = this.#restored;
    if (restored === undefined || assignment.incarnation !== restored.incarnation) return undefined;
    // What left a scheduler before is of the lost records.
    if (restored.told.has(numberOf(assignment))) return undefined;
    return restored.spared.find(
      name =>
        assignment.instances.some(one => nameOf(one) === name && one.desired === "stop") ||
        assignment.removals.some(one => nameOf(one) === name),
    );
  }

  #some(holds: (one: AssignedInstance) => boolean): boolean {
    return this.#present().some(assignment => assignment?.instances.some(holds));
  }

  /** What the agent works by, and what it worked by a moment ago. */
  #present(): readonly (Assignment | undefined)[] {
    const since = this.#ranMs() - UNDER_WAY_MS;
    return [this.#held, ...this.#replaced.filter(one => one.atMs >= since).map(one => one.assignment)];
  }
}

/** What an assignment tells: the specs play no part here. */
type Told = Pick<Assignment, "term" | "revision"> & {
  readonly instances: readonly Pick<AssignedInstance, "instanceId" | "epoch">[];
};

/** Terms and revisions are those of one database: another one, which replaces it, has its own. */
function isOlder(next: Assignment, held: Assignment): boolean {
  if (next.incarnation !== held.incarnation) return false;
  return next.term < held.term || (next.term === held.term && next.revision < held.revision);
}

function numberOf({ term, revision }: Pick<Assignment, "term" | "revision">): string {
  return `${term} ${revision}`;
}

function nameOf(of: { readonly instanceId: string; readonly epoch: number }): string {
  return `${of.instanceId}@${of.epoch}`;
}
