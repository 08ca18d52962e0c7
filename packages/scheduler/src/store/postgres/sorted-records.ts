/**
 * Records by key and in the order of their keys. Worlds are large, change little, and are asked for
 * often: what did not change is the very same list as before.
 */
export interface SortedRecords<T> {
  get(key: string): T | undefined;
  has(key: string): boolean;
  set(key: string, record: T): void;
  delete(key: string): void;
  /** All of them; it never changes afterwards. */
  list(): readonly T[];
}

/** Makes an empty one. */
export function createSortedRecords<T>(): SortedRecords<T> {
  const records = new Map<string, T>();
  /** Keys that came or went since the list was made. */
  let touched = new Set<string>();
  let keys: readonly string[] = [];
  let made: readonly T[] | undefined = [];

  function takeIn(): void {
    if (touched.size === 0) return;
    const kept = keys.filter(key => !touched.has(key));
    const fresh = [...touched].filter(key => records.has(key)).sort();
    keys = fresh.length === 0 ? kept : merge(kept, fresh);
    touched = new Set();
  }

  return {
    get: key => records.get(key),
    has: key => records.has(key),
    set: (key, record) => {
      if (!records.has(key)) touched.add(key);
      records.set(key, record);
      made = undefined;
    },
    delete: key => {
      if (!records.delete(key)) return;
      touched.add(key);
      made = undefined;
    },
    list: () => {
      if (made !== undefined) return made;
      takeIn();
      return (made = keys.map(key => records.get(key)!));
    },
  };
}

function merge(one: readonly string[], other: readonly string[]): readonly string[] {
  const merged: string[] = [];
  let at = 0;
  for (const key of other) {
    while (at < one.length && one[at]! < key) merged.push(one[at++]!);
    merged.push(key);
  }
  while (at < one.length) merged.push(one[at++]!);
  return merged;
}
