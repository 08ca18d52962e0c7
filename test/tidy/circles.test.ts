import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { sources } from "./sources.ts";

/**
 * Circles that are known and still to be solved, each by the names that take part, sorted. The list
 * only shrinks: an entry that is no longer needed fails the test too.
 */
const KNOWN_FILES: readonly string[] = ["test/simulation/watch.ts"];
const KNOWN_FOLDERS: readonly string[] = [];

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

const isTest = (file: string): boolean =>
  /\.(test|contract)\.ts$/.test(file) || file.includes("/testing/") || file.includes("/contract/");

/**
 * Which file imports which, types included: a reader has to break a circle of types as well.
 */
function fileGraph(): Graph {
  const read = sources();
  const known = new Set(read.map(({ file }) => file));
  return new Map(
    read.map(({ file, imports }) => [file, new Set(imports.flatMap(name => targetOf(file, name, known) ?? []))]),
  );
}

function targetOf(file: string, specifier: string, known: ReadonlySet<string>): string | undefined {
  const [, name, rest] = /^@skep\/([a-z]+)\/(.+)$/.exec(specifier) ?? [];
  const target = specifier.startsWith(".") ? normalize(join(dirname(file), specifier)) : `packages/${name}/src/${rest}`;
  return known.has(target) ? target : undefined;
}

/**
 * The folder right below a package's sources, or below another room. What lies in the root itself
 * is in none.
 */
function folderOf(file: string): string | undefined {
  return /^(packages\/[a-z]+\/src\/[a-z-]+|(?!packages\/)[a-z]+\/[a-z-]+)\//.exec(file)?.[1];
}

function folderGraph(files: Graph): Graph {
  const graph = new Map<string, Set<string>>();
  for (const [file, imports] of files) {
    const from = folderOf(file);
    if (from === undefined || isTest(file)) continue;
    const to = graph.get(from) ?? new Set();
    graph.set(from, to);
    for (const target of imports) {
      const folder = folderOf(target);
      if (folder !== undefined && folder !== from && !isTest(target)) to.add(folder);
    }
  }
  return graph;
}

/** The sets of nodes that reach each other, each sorted (Tarjan). */
function circles(graph: Graph): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  function visit(node: string): number {
    order.set(node, order.size);
    let lowest = order.size - 1;
    open.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) lowest = Math.min(lowest, visit(next));
      else if (open.includes(next)) lowest = Math.min(lowest, low.get(next) ?? order.get(next) ?? 0);
    }
    low.set(node, lowest);
    if (lowest === order.get(node)) {
      const circle = open.splice(open.indexOf(node));
      if (circle.length > 1) found.push(circle.toSorted());
    }
    return lowest;
  }
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found;
}

describe("imports", () => {
  const files = fileGraph();

  it("go round in no circle between files", () => {
    const found = circles(files);
    const isKnown = (circle: readonly string[]): boolean => KNOWN_FILES.some(one => circle.includes(one));
    expect(found.filter(circle => !isKnown(circle))).toEqual([]);
    const unneeded = KNOWN_FILES.filter(one => !found.some(circle => circle.includes(one)));
    expect(unneeded, "these circles are solved: take them out of the list").toEqual([]);
  });

  it("go round in no circle between the folders of a package", () => {
    expect(circles(folderGraph(files)).map(circle => circle.join(" "))).toEqual(KNOWN_FOLDERS);
  });
});
