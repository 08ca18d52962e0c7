interface Branch<T> {
  readonly children: Map<string, Branch<T>>;
  /** Filters that end here. */
  readonly here: Set<T>;
  /** Filters that end here with `#`. */
  readonly below: Set<T>;
}

/** Who asked for what: an event costs what it reaches, and not all filters that there are. */
export interface FilterIndex<T> {
  add(filter: string, one: T): void;
  remove(filter: string, one: T): void;
  /** Visits whoever asked for the topic, once for each of its filters that means it. */
  visit(topic: string, visit: (one: T) => void): void;
  readonly isEmpty: boolean;
}

/** Makes an empty one. Filters are well-formed ones (`isFilter`). */
export function createFilterIndex<T>(): FilterIndex<T> {
  const root = branch<T>();

  function remove(at: Branch<T>, levels: readonly string[], depth: number, one: T): void {
    const level = levels[depth];
    if (level === undefined) return void at.here.delete(one);
    if (level === "#") return void at.below.delete(one);
    const child = at.children.get(level);
    if (child === undefined) return;
    remove(child, levels, depth + 1, one);
    if (isBare(child)) at.children.delete(level);
  }

  return {
    add: (filter, one) => {
      let at = root;
      for (const level of filter.split("/")) {
        if (level === "#") return void at.below.add(one);
        let child = at.children.get(level);
        if (child === undefined) at.children.set(level, (child = branch()));
        at = child;
      }
      at.here.add(one);
    },
    remove: (filter, one) => remove(root, filter.split("/"), 0, one),
    visit: (topic, visit) => {
      if (!isBare(root)) walk(root, topic.split("/"), 0, visit);
    },
    get isEmpty() {
      return isBare(root);
    },
  };
}

function walk<T>(at: Branch<T>, levels: readonly string[], depth: number, visit: (one: T) => void): void {
  const level = levels[depth];
  const mayBeWild = depth > 0 || level === undefined || !level.startsWith("$");
  if (mayBeWild) for (const one of at.below) visit(one);
  if (level === undefined) {
    for (const one of at.here) visit(one);
    return;
  }
  const exact = at.children.get(level);
  if (exact !== undefined) walk(exact, levels, depth + 1, visit);
  const wild = mayBeWild ? at.children.get("+") : undefined;
  if (wild !== undefined) walk(wild, levels, depth + 1, visit);
}

function branch<T>(): Branch<T> {
  return { children: new Map(), here: new Set(), below: new Set() };
}

function isBare<T>({ children, here, below }: Branch<T>): boolean {
  return children.size === 0 && here.size === 0 && below.size === 0;
}
