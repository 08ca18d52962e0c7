import type { MemoryDatabase } from "@skep/scheduler/store/memory/memory-store.ts";
import type { Edge } from "./edge.ts";
import type { SimNode } from "./sim-node.ts";

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
  #engines = 0;
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

  /** Whether anything is other than at the last look. */
  look(): boolean {
    const { nodes, deployments, releases, instances, locations, routes } = this.#database.records;
    const rows = this.#rows;
    let at = 0;
    let isOther = false;
    // In place, since this runs after every event: most change nothing.
    const note = (row: unknown): void => {
      if (rows[at] !== row) {
        rows[at] = row;
        isOther = true;
      }
      at++;
    };
    for (const { node } of nodes.values()) note(node);
    for (const table of [deployments, releases, instances, locations, routes])
      for (const row of table.values()) note(row);
    let engines = 0;
    for (const node of this.#nodes) engines += node.changes();
    for (const edge of this.#edges) engines += edge.applied();
    if (!isOther && at === rows.length && engines === this.#engines) return false;
    rows.length = at;
    this.#engines = engines;
    this.#version++;
    return true;
  }
}
