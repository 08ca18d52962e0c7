import type { MemoryDatabase } from "@skep/scheduler/store/memory/memory-store.ts";
import type { Edge } from "./edge.ts";
import type { SimNode } from "./sim-node.ts";

/**
 * What the rules judge, by what of it has changed: a rule is asked again when what it reads has.
 */
export interface Changed {
  readonly records: boolean;
  readonly containers: boolean;
  readonly edges: boolean;
}

/**
 * Tells whether anything has changed that the rules judge: rows, compared by identity since tables
 * replace them, and containers, of whose every change their engine tells, and the routes of edges.
 * Most events change neither, and are not judged again.
 */
export class Changes {
  readonly #database: MemoryDatabase;
  readonly #nodes: readonly SimNode[];
  readonly #edges: readonly Edge[];
  readonly #rows: unknown[] = [];
  #enginesSeen = 0;
  #edgesSeen = 0;
  #version = 0;

  constructor(database: MemoryDatabase, nodes: readonly SimNode[], edges: readonly Edge[]) {
    this.#edges = edges;
    this.#database = database;
    this.#nodes = nodes;
  }

  /** Grows with each change that `look` found. */
  version(): number {
    return this.#version;
  }

  /** What is other than at the last look; `undefined` where nothing is. */
  look(): Changed | undefined {
    const { nodes, deployments, releases, instances, locations, routes } = this.#database.records;
    const rows = this.#rows;
    let at = 0;
    let isOther = false;
    // In place and without a call for each row, since this runs after every event: most change
    // nothing.
    for (const { node } of nodes.values()) {
      if (rows[at] !== node) [rows[at], isOther] = [node, true];
      at++;
    }
    for (const table of [deployments, releases, instances, locations, routes]) {
      for (const row of table.values()) {
        if (rows[at] !== row) [rows[at], isOther] = [row, true];
        at++;
      }
    }
    const records = isOther || at !== rows.length;
    rows.length = at;
    let [engines, edges] = [0, 0];
    for (const node of this.#nodes) engines += node.changes();
    for (const edge of this.#edges) edges += edge.applied();
    const changed = { records, containers: engines !== this.#enginesSeen, edges: edges !== this.#edgesSeen };
    if (!changed.records && !changed.containers && !changed.edges) return undefined;
    [this.#enginesSeen, this.#edgesSeen] = [engines, edges];
    this.#version++;
    return changed;
  }
}
