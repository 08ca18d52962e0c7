/**
 * Freezes a value through and through, and answers it. Tables replace their rows and never change
 * them, so an answer may share rows with them: a caller that writes to what it got fails at once.
 * Far cheaper than a copy of each answer.
 */
export function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return value;
  Object.freeze(value);
  if (Array.isArray(value) || value instanceof Map) for (const item of value.values()) frozen(item);
  else for (const item of Object.values(value)) frozen(item);
  return value;
}
