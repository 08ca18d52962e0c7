import { canonicalImage } from "../model/image.ts";
import type { AssignedInstance, Assignment } from "../model/assignment.ts";
import type { InstanceId } from "../model/instance.ts";
import type { Observed, ObservedContainer, WarmSandbox } from "../model/observed.ts";
import { LONGEST_RETRY_MS, NEW_CONTAINER } from "./memory.ts";
import type { ContainerMemory, ConvergeMemory } from "./memory.ts";
import { stepKey, turnOf } from "./step.ts";
import type { ContainerNetwork, Step, Turn } from "./step.ts";

/** Whether an exclusive instance may run; where it may not any more, `since` when. */
export interface LeaseView {
  readonly held: boolean;
  readonly since: number | undefined;
}

/** What netd says of an instance's place in its tenant's network. */
export interface AttachmentView {
  /** The network namespace that is attached; `undefined` while none is. */
  readonly netns: string | undefined;
  /** What is wrong with it, or keeps it from being made. */
  readonly fault: string | undefined;
}

/** What `converge` is asked. */
export interface ConvergeInput {
  /**
   * What the node is told to run; `undefined` where no assignment ever came, which changes nothing
   * on the node.
   */
  readonly assignment: Assignment | undefined;
  /**
   * The engine as it was after every step that is not in flight any more had ended; older looks
   * make duplicates.
   */
  readonly observed: Observed;
  readonly memory: ConvergeMemory;
  /**
   * Keys of the steps that are being done, and of those that ended after the look at `observed` had
   * begun.
   */
  readonly inFlight: readonly string[];
  /**
   * Which of them have ended: they are not issued again on this look, but they keep nobody from a
   * turn.
   */
  readonly ended?: readonly string[];
  /** Whether the assignment was confirmed since the node started; see `noteBoot`. */
  readonly confirmed: boolean;
  readonly policy: {
    /** Most containers that are being started at once; twice as many are made at once. */
    readonly startLimit: number;
    readonly sandboxImage: string;
    /** Absent: the engine's bridges. */
    readonly network?: ContainerNetwork;
    /** With netd: how many sandboxes are kept ready; none without this. */
    readonly warm?: number;
  };
  /** With netd: attachments by `groupKey`. */
  readonly attachments?: Readonly<Record<string, AttachmentView>>;
  /**
   * Images that a tenant may not use before the registry has let it pull them, though they are
   * here: `withheldKey`s.
   */
  readonly withheld?: readonly string[];
  /** Leases of exclusive instances by `groupKey`; one that is missing was never given. */
  readonly leases?: Readonly<Record<string, LeaseView>>;
  /** What a failing probe said last, by container id, for the messages. */
  readonly healthNotes?: Readonly<Record<string, string>>;
  readonly now: number;
}

/** One call of `converge` at work: what it was asked, indexed, and what it has decided so far. */
export interface Round {
  readonly input: ConvergeInput;
  readonly now: number;
  readonly groups: ReadonlyMap<string, readonly ObservedContainer[]>;
  readonly images: ReadonlySet<string>;
  readonly withheld: ReadonlySet<string>;
  readonly networks: ReadonlySet<string>;
  readonly inFlight: ReadonlySet<string>;
  readonly exitedAtBoot: ReadonlySet<string>;
  readonly steps: Step[];
  readonly issued: Set<string>;
  readonly containers: Record<string, ContainerMemory>;
  /** Sandboxes made ahead that nobody has taken yet. */
  readonly warm: WarmSandbox[];
  readonly turnsLeft: Record<Turn, number>;
  /** Whether something was held back that only waits for its turn. */
  isTurnAwaited: boolean;
  wakeAt: number;
}

/** How an attempt to issue a step went; `problem` is what its last try failed with. */
export interface Attempt {
  readonly issued: boolean;
  readonly problem: string | undefined;
}

/** Key of all that belongs to an instance at one epoch. */
export function groupKey(instanceId: InstanceId, epoch: number): string {
  return `${instanceId}@${epoch}`;
}

/** The lease of an instance at its epoch; `undefined` where it was never given. */
export function leaseOf(
  round: Round,
  { instanceId, epoch }: Pick<AssignedInstance, "instanceId" | "epoch">,
): LeaseView | undefined {
  return round.input.leases?.[groupKey(instanceId, epoch)];
}

/**
 * Making is cheap beside starting, and what is made ahead keeps the cores busy while a start waits
 * for the kernel; but all at once they hold up the first start.
 */
const CREATES_PER_START = 2;

/** Indexes the input of one call. */
export function openRound(input: ConvergeInput): Round {
  const { observed, inFlight, policy, memory } = input;
  const ended = new Set(input.ended);
  const taken = Map.groupBy(inFlight, key => (ended.has(key) ? undefined : turnOf(key)));
  return {
    input,
    now: input.now,
    groups: Map.groupBy(observed.containers, container => groupKey(container.instanceId, container.epoch)),
    images: new Set(observed.images.map(canonicalImage)),
    withheld: new Set(input.withheld),
    networks: new Set(observed.networks.map(network => network.tenantId)),
    inFlight: new Set(inFlight),
    exitedAtBoot: new Set(input.confirmed ? [] : memory.exitedAtBoot),
    warm: (observed.warm ?? []).filter(
      ({ id }) => !inFlight.some(key => key.startsWith(`take:${id}/`) || key === stepKey.remove(id)),
    ),
    steps: [],
    issued: new Set(),
    containers: {},
    turnsLeft: {
      create: policy.startLimit * CREATES_PER_START - (taken.get("create")?.length ?? 0),
      start: policy.startLimit - (taken.get("start")?.length ?? 0),
    },
    isTurnAwaited: false,
    wakeAt: Infinity,
  };
}

/** Issues a step, unless one of its key is in flight, issued already, or still backs off. */
export function attempt(round: Round, step: Step): Attempt {
  const tried = round.input.memory.tries[step.key];
  const problem = tried === undefined ? undefined : `${tried.lastError} (tried ${times(tried.failures)})`;
  if (round.inFlight.has(step.key) || round.issued.has(step.key)) return { issued: true, problem };
  if (tried !== undefined && backsOff(round, step)) {
    wake(round, tried.nextAt);
    return { issued: false, problem };
  }
  round.steps.push(step);
  round.issued.add(step.key);
  return { issued: true, problem };
}

function backsOff(round: Round, { key }: Step): boolean {
  const tried = round.input.memory.tries[key];
  return tried !== undefined && isAhead(tried.nextAt, round.now, LONGEST_RETRY_MS);
}

/**
 * Issues a step of a kind of which only so many go at once; `undefined` where its turn has not
 * come.
 */
export function attemptInTurn(round: Round, turn: Turn, step: Step): Attempt | undefined {
  if (round.turnsLeft[turn] <= 0 && !round.inFlight.has(step.key) && !backsOff(round, step)) {
    round.isTurnAwaited = true;
    return undefined;
  }
  const before = round.steps.length;
  const tried = attempt(round, step);
  round.turnsLeft[turn] -= round.steps.length - before;
  return tried;
}

/**
 * Whether a time is still to come that was set at most `mostMs` ahead. One that is further away was
 * set by a clock that has been put back since, and must not keep anything waiting until then.
 */
export function isAhead(at: number, now: number, mostMs: number): boolean {
  return at > now && at <= now + mostMs;
}

/** Asks to be called again at `at`. */
export function wake(round: Round, at: number): void {
  if (at > round.now && at < round.wakeAt) round.wakeAt = at;
}

/** What is remembered of a container of the instance, with what this round changed. */
export function recall(round: Round, instance: AssignedInstance, container: string): ContainerMemory {
  const key = memoryKey(instance, container);
  return round.containers[key] ?? round.input.memory.containers[key] ?? NEW_CONTAINER;
}

/** Remembers something of a container of the instance. */
export function remember(
  round: Round,
  instance: AssignedInstance,
  container: string,
  change: Partial<ContainerMemory>,
): ContainerMemory {
  const next = { ...recall(round, instance, container), ...change };
  round.containers[memoryKey(instance, container)] = next;
  return next;
}

/** Names an image that is withheld from a tenant. */
export function withheldKey(tenantId: string, image: string): string {
  return `${tenantId} ${canonicalImage(image)}`;
}

/** A count of tries in words: `once`, `twice`, `3 times`. */
export function times(count: number): string {
  if (count === 1) return "once";
  return count === 2 ? "twice" : `${count} times`;
}

function memoryKey(instance: AssignedInstance, container: string): string {
  return `${groupKey(instance.instanceId, instance.epoch)}/${container}`;
}
