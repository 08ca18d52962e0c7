/** A place on the earth, in degrees. */
export interface Point {
  readonly lat: number;
  readonly lon: number;
}

/** What a field of a message may hold once it is typed; times are ms since the epoch. */
export type FieldValue = number | string | boolean | Point;

/** What fields are typed as. */
export type FieldType = "number" | "integer" | "text" | "boolean" | "time" | "point";

/** The typed fields of one message, by their paths. */
export type Fields = ReadonlyMap<string, FieldValue>;

/** Whether a value is a place. */
export function isPoint(value: unknown): value is Point {
  return typeof value === "object" && value !== null && "lat" in value && "lon" in value;
}

/** Whether two typed values are the same one. */
export function isSame(a: FieldValue | undefined, b: FieldValue | undefined): boolean {
  if (isPoint(a) && isPoint(b)) return a.lat === b.lat && a.lon === b.lon;
  return a === b;
}

const EARTH_M = 6_371_000;

/** The distance of two places in metres, along a great circle of a sphere. */
export function distanceM(a: Point, b: Point): number {
  const rad = (degrees: number): number => (degrees * Math.PI) / 180;
  const [dLat, dLon] = [rad(b.lat - a.lat), rad(b.lon - a.lon)];
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(rad(a.lat)) * Math.cos(rad(b.lat)) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(h)));
}
