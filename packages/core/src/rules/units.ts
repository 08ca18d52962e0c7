/** A unit as a linear function of the base unit of its kind: base = value * factor + offset. */
interface Unit {
  readonly kind: string;
  readonly factor: number;
  readonly offset: number;
}

const UNITS: Readonly<Record<string, Unit>> = {
  ...linear("temperature", { "°C": 1, K: 1, "°F": 5 / 9 }, { K: -273.15, "°F": (-32 * 5) / 9 }),
  ...linear("length", { m: 1, mm: 0.001, cm: 0.01, km: 1000, in: 0.0254, ft: 0.3048, mi: 1609.344, nmi: 1852 }),
  ...linear("speed", { "m/s": 1, "km/h": 1 / 3.6, mph: 0.44704, kn: 1852 / 3600 }),
  ...linear("pressure", { Pa: 1, hPa: 100, kPa: 1000, mbar: 100, bar: 100_000, psi: 6894.757293168 }),
  ...linear("mass", { kg: 1, g: 0.001, t: 1000, lb: 0.45359237 }),
  ...linear("volume", { l: 1, ml: 0.001, "m³": 1000, gal: 3.785411784 }),
  ...linear("time", { s: 1, ms: 0.001, min: 60, h: 3600, d: 86_400 }),
  ...linear("voltage", { V: 1, mV: 0.001, kV: 1000 }),
  ...linear("current", { A: 1, mA: 0.001 }),
  ...linear("power", { W: 1, mW: 0.001, kW: 1000, MW: 1_000_000 }),
  ...linear("energy", { J: 1, kJ: 1000, Wh: 3600, kWh: 3_600_000 }),
  ...linear("angle", { "°": 1, rad: 180 / Math.PI }),
  ...linear("share", { "%": 1, "": 100, ppm: 0.0001 }),
  ...linear("data", { B: 1, KiB: 1024, MiB: 1_048_576, KB: 1000, MB: 1_000_000 }),
};

function linear(
  kind: string,
  factors: Readonly<Record<string, number>>,
  offsets: Readonly<Record<string, number>> = {},
): Record<string, Unit> {
  return Object.fromEntries(
    Object.entries(factors).map(([name, factor]) => [name, { kind, factor, offset: offsets[name] ?? 0 }]),
  );
}

/** Why a value of one unit cannot be told in another; `undefined` where it can. */
export function whyNotConverted(from: string, to: string): string | undefined {
  if (from === to) return undefined;
  const [a, b] = [unitOf(from), unitOf(to)];
  if (a === undefined) return `"${from}" is no unit that is known`;
  if (b === undefined) return `"${to}" is no unit that is known`;
  return a.kind === b.kind ? undefined : `"${from}" is a unit of ${a.kind}, and "${to}" of ${b.kind}`;
}

/** A value of one unit in another one; as it is where `whyNotConverted` has a reason. */
export function convertUnit(value: number, from: string, to: string): number {
  if (from === to) return value;
  const [a, b] = [unitOf(from), unitOf(to)];
  if (a === undefined || b === undefined || a.kind !== b.kind) return value;
  return (value * a.factor + a.offset - b.offset) / b.factor;
}

function unitOf(name: string): Unit | undefined {
  return Object.hasOwn(UNITS, name) ? UNITS[name] : undefined;
}
