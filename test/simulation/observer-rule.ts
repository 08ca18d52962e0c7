import { decodeBeat } from "@skep/api/codec/beat.ts";
import type { Location } from "@skep/core/model/instance.ts";
import type { Node } from "@skep/core/model/node.ts";
import { mountKey } from "@skep/core/model/volume.ts";
import type { Plan } from "@skep/core/world/plan.ts";
import type { World } from "@skep/core/world/world.ts";
import type { Life } from "./life.ts";

interface LastBeat {
  readonly sessionId: string;
  readonly seq: number;
}

/** The times of the design, which the rule does not take from the code that it judges. */
const SUSPECT_AFTER_MS = 3_000;
const DOWN_AFTER_MS = 6_000;
/**
 * A scheduler notices only by its next timer that it was stopped, and takes what came before for
 * observed.
 */
const SLACK_MS = 500;
/** Peers are asked each second of a silence, and a try takes one. */
const ASKED_WITHIN_MS = 20_000;

/**
 * Watches one scheduler's life: it may call a node down only after it has itself observed that
 * node's silence for the set time, after a peer has tried the node in vain, and only while most
 * others are heard. Time in which the scheduler was stopped, or did not exist, is no observation; a
 * beat that comes twice or late is no new sign of life.
 */
export class ObserverRule {
  readonly #life: Life;
  readonly #beats = new Map<string, LastBeat>();
  readonly #beatAt = new Map<string, number>();
  /** Of anything that came from a node, also what is not counted as a sign of life. */
  readonly #heardAt = new Map<string, number>();
  /** When the newest beat came, while it listened without a gap. */
  readonly #pairedAt = new Map<string, number>();
  /** Whom it called down, or read to be down, and has not heard back since. */
  readonly #down = new Set<string>();
  /** Whose silence was long enough to be called down, and who is not back since. */
  readonly #missed = new Set<string>();
  /** Of the world that it looked at last. */
  #drained: ReadonlySet<string> = new Set();

  constructor(life: Life) {
    this.#life = life;
  }

  /**
   * The scheduler has read this world: a node that is drained there may be silent, and one that is
   * down there is down for it.
   */
  loaded({ nodes }: Pick<World, "nodes">): void {
    this.#drained = new Set(nodes.filter(one => one.availability === "drain").map(one => one.id));
    for (const { id, liveness } of nodes) if (liveness === "down") this.#down.add(id);
  }

  /** The bus went or came back: a beat from before is no news. */
  listensAnew(): void {
    this.#pairedAt.clear();
  }

  /** The scheduler has called the node down, rightly or not. */
  calledDown(nodeId: string): void {
    this.#down.add(nodeId);
  }

  /**
   * The scheduler got this message of a node's agent; `hasReported` says whether that life of an
   * agent has reported in full.
   */
  heard(
    about: { readonly kind: string; readonly nodeId: string },
    data: Uint8Array,
    hasReported: (nodeId: string, sessionId: string) => boolean,
  ): string | undefined {
    this.#heardAt.set(about.nodeId, this.#life.ranMs());
    if (about.kind !== "beat") return undefined;
    const { nodeId, sessionId, seq } = decodeBeat(data);
    const last = this.#beats.get(nodeId);
    if (last?.sessionId === sessionId && last.seq >= seq) return undefined;
    this.#beats.set(nodeId, { sessionId, seq });
    this.#tookNewBeat(nodeId, this.#life.ranMs());
    if (last?.sessionId === sessionId || hasReported(nodeId, sessionId)) return undefined;
    return `${nodeId} beats before its report has landed`;
  }

  /**
   * The scheduler says that the node is down; `unreachedMs` is how long ago a peer tried it in
   * vain. Whom it has called down before is none of those who fall silent now, though another
   * leader has recorded the node as ready meanwhile: it was stopped, and could not know.
   */
  broken(nodeId: string, nodes: readonly Node[], unreachedMs: number): string | undefined {
    const { name } = this.#life;
    const silentMs = this.silentMs(nodeId);
    if (silentMs < DOWN_AFTER_MS - SLACK_MS)
      return `${name} calls ${nodeId} down after it observed ${silentMs} ms of silence; ${DOWN_AFTER_MS} are needed`;
    if (unreachedMs > ASKED_WITHIN_MS)
      return `${name} calls ${nodeId} down although its peers reach it, or were not asked`;
    const silent = nodes.filter(
      one =>
        (one.id === nodeId || (one.liveness !== "down" && !this.#down.has(one.id))) &&
        !this.#drained.has(one.id) &&
        this.#life.ranMs() - (this.#heardAt.get(one.id) ?? 0) > SUSPECT_AFTER_MS + SLACK_MS,
    );
    if (silent.length > 1 && silent.length > nodes.length / 3)
      return `${name} calls ${nodeId} down while ${silent.length} of ${nodes.length} nodes are silent at once`;
    return undefined;
  }

  /**
   * The scheduler is about to commit this: what runs on a node is given up, and a volume is left
   * behind there, only when the node is down or gone. A node that is down stays so until two new
   * beats have come, since a single one may be from before it failed; where the database is slow,
   * the records say so too late.
   */
  brokenByGivingUp(world: World, plan: Plan): string | undefined {
    for (const change of plan.changes) {
      if (change.kind !== "lose" && change.kind !== "leave-volume") continue;
      const isPlace = (one: Location): boolean =>
        change.kind === "lose" && one.instanceId === change.instanceId && one.epoch === change.epoch;
      const nodeId = change.kind === "lose" ? world.locations.find(isPlace)?.nodeId : change.volume.nodeId;
      const node = world.nodes.find(one => one.id === nodeId);
      if (node === undefined || node.liveness === "down" || this.#missed.has(node.id)) continue;
      const silentMs = this.silentMs(node.id);
      if (silentMs >= DOWN_AFTER_MS - SLACK_MS) continue;
      const what = change.kind === "lose" ? `${change.instanceId}@${change.epoch}` : mountKey(change.volume);
      return `${what} is given up, though ${this.#life.name} heard ${node.id} ${silentMs} ms ago`;
    }
    return undefined;
  }

  #tookNewBeat(nodeId: string, now: number): void {
    if (this.silentMs(nodeId) >= DOWN_AFTER_MS - SLACK_MS) this.#missed.add(nodeId);
    if (now - (this.#pairedAt.get(nodeId) ?? -Infinity) < SUSPECT_AFTER_MS - SLACK_MS) {
      this.#down.delete(nodeId);
      this.#missed.delete(nodeId);
    }
    this.#pairedAt.set(nodeId, now);
    this.#beatAt.set(nodeId, now);
  }

  /** How long the scheduler has observed no sign of life of the node's agent. */
  silentMs(nodeId: string): number {
    return this.#life.ranMs() - (this.#beatAt.get(nodeId) ?? 0);
  }
}
