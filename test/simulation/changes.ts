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
  #statementsSeen = 0;
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
    const records = this.#areRowsOther();
    let [engines, edges] = [0, 0];
    for (const node of this.#nodes) engines += node.changes();
    for (const edge of this.#edges) edges += edge.applied();
    const changed = { records, containers: engines !== this.#enginesSeen, edges: edges !== this.#edgesSeen };
    if (!changed.records && !changed.containers && !changed.edges) return undefined;
    [this.#enginesSeen, this.#edgesSeen] = [engines, edges];
    this.#version++;
    return changed;
  }

  /** Compares the rows where a statement has run since, or somebody took one away by hand. */
  #areRowsOther(): boolean {
    const { nodes, deployments, releases, instances, locations, routes } = this.#database.records;
    const tables = [deployments, releases, instances, locations, routes];
    const rows = this.#rows;
    const count = tables.reduce((sum, table) => sum + table.size, nodes.size);
    const statements = this.#database.statements();
    if (statements === this.#statementsSeen && count === rows.length) return false;
    this.#statementsSeen = statements;
    let at = 0;
    let isOther = count !== rows.length;
    // In place and without a call for each row, since it runs often and most change nothing.
    for (const { node } of nodes.values()) {
      if (rows[at] !== node) [rows[at], isOther] = [node, true];
      at++;
    }
    for (const table of tables) {
      for (const row of table.values()) {
        if (rows[at] !== row) [rows[at], isOther] = [row, true];
        at++;
      }
    }
    rows.length = at;
    return isOther;
  }
}
