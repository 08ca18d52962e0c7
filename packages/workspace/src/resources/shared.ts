/** One user's hold on a shared resource. */
export interface Lease<T> {
  readonly instance: T;
  /** Lets go of it; the last one to do so ends the resource. May be called twice. */
  release(): Promise<void>;
}

/** Resources of one kind that several users share, each counted by its users (R91, R92). */
export interface Shared<T> {
  /**
   * The resource of this key, made by its first user; users that come while it is being made wait
   * for the same one. Rejects with what `make` rejected with, for all who waited; the next user
   * makes it anew.
   */
  acquire(key: string, make: () => Promise<T>): Promise<Lease<T>>;
  /** How many use each resource that there is, by key. */
  counts(): ReadonlyMap<string, number>;
}

interface Entry<T> {
  readonly instance: Promise<T>;
  refCount: number;
}

/** Resources that `end` ends once nobody uses them any more. */
export function createShared<T>(end: (instance: T) => Promise<void>): Shared<T> {
  const entries = new Map<string, Entry<T>>();

  function entryOf(key: string, make: () => Promise<T>): Entry<T> {
    const found = entries.get(key);
    if (found !== undefined) {
      found.refCount += 1;
      return found;
    }
    const made: Entry<T> = { instance: make(), refCount: 1 };
    entries.set(key, made);
    return made;
  }

  /** An entry that nobody uses leaves the map at once, so that no new user gets what is ending. */
  function letGo(key: string, entry: Entry<T>): boolean {
    entry.refCount -= 1;
    if (entry.refCount > 0) return false;
    entries.delete(key);
    return true;
  }

  return {
    async acquire(key, make) {
      const entry = entryOf(key, make);
      let instance: T;
      try {
        instance = await entry.instance;
      } catch (error) {
        letGo(key, entry);
        throw error;
      }
      let released: Promise<void> | undefined;
      const release = (): Promise<void> => {
        released ??= letGo(key, entry) ? end(instance) : Promise.resolve();
        return released;
      };
      return { instance, release };
    },
    counts: () => new Map([...entries].map(([key, entry]) => [key, entry.refCount])),
  };
}
