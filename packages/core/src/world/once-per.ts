/**
 * Makes a function answer what it made before for the same object. Only for what depends on that
 * object alone, and the object never changes: lists of records that did not change are mostly the
 * lists of the world before.
 */
export function oncePer<K extends object, T>(make: (of: K) => T): (of: K) => T {
  const made = new WeakMap<K, { readonly value: T }>();
  return of => {
    const before = made.get(of);
    if (before !== undefined) return before.value;
    const value = make(of);
    made.set(of, { value });
    return value;
  };
}
