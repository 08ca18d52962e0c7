/** What a workspace is to hold. */
export interface Fleet {
  readonly devices: number;
  /** Messages of all devices in a day. */
  readonly messagesPerDay: number;
  /** Connections at once. */
  readonly connections: number;
}

/** What it needs. */
export interface Size {
  /** Megabytes of its database. */
  readonly databaseMb: number;
  /** Megabytes of memory of its host. */
  readonly memoryMb: number;
  /** Connections to the broker. */
  readonly brokerConnections: number;
}

const KB_PER_MB = 1024;

/**
 * Database 20 MB, 5 KB a device and 1 KB a message of a day; memory 128 MB and 512 KB a connection;
 * one connection to the broker per 1000 devices (R126..R128). Answers whole numbers, rounded up.
 */
export function sizeOf({ devices, messagesPerDay, connections }: Fleet): Size {
  return {
    databaseMb: Math.ceil(20 + (5 * devices + messagesPerDay) / KB_PER_MB),
    memoryMb: Math.ceil(128 + (512 * connections) / KB_PER_MB),
    brokerConnections: Math.max(1, Math.ceil(devices / 1000)),
  };
}

/** A fleet of vehicles, or of anything that sends by itself (R181..R185). */
export interface Telemetry {
  readonly devices: number;
  readonly messagesPerSecond: number;
  /** Share of the devices that send at once, 0 to 1 (C5). */
  readonly usage: number;
}

/** How many of each service a fleet needs (R186..R190). */
export interface Instances {
  readonly messagesPerSecond: number;
  readonly ingestion: number;
  readonly frontdoor: number;
  readonly consumption: number;
  readonly registry: number;
}

const PER_INGESTION = 1000;

/**
 * An ingestion instance takes 1000 messages a second; the other services stand to it as 20, 10 and
 * 5 to 60. So 30,000 vehicles of 2 messages a second need 60, 20, 10 and 5 at full usage.
 */
export function instancesFor({ devices, messagesPerSecond, usage }: Telemetry): Instances {
  // Shares such as 0.07 are not exact, and a message too many would cost an instance.
  const all = Math.round(devices * messagesPerSecond * usage * 1e6) / 1e6;
  const ingestion = Math.max(1, Math.ceil(all / PER_INGESTION));
  return {
    messagesPerSecond: all,
    ingestion,
    frontdoor: Math.ceil(ingestion / 3),
    consumption: Math.ceil(ingestion / 6),
    registry: Math.ceil(ingestion / 12),
  };
}

/** A machine of the sizing table (R142), or the least that the whole system runs on (R141). */
export interface Machine {
  readonly name: "least" | "small" | "medium" | "large";
  readonly cores: number;
  readonly memoryGb: number;
  readonly storageGb: number;
  /** Gigabits a second; 0 where nothing is asked. */
  readonly networkGbps: number;
}

/** The sizing table, smallest first (R141, R142). */
export const MACHINES: readonly Machine[] = [
  { name: "least", cores: 2, memoryGb: 4, storageGb: 20, networkGbps: 0 },
  { name: "small", cores: 4, memoryGb: 8, storageGb: 100, networkGbps: 1 },
  { name: "medium", cores: 8, memoryGb: 16, storageGb: 250, networkGbps: 1 },
  { name: "large", cores: 16, memoryGb: 32, storageGb: 500, networkGbps: 10 },
];

/** The smallest machine of the table that holds this; the largest where none does. */
export function machineFor({ databaseMb, memoryMb }: Pick<Size, "databaseMb" | "memoryMb">): Machine {
  return MACHINES.find(one => holds(one, { databaseMb, memoryMb })) ?? MACHINES.at(-1)!;
}

/** Whether a machine holds this. */
export function holds(machine: Machine, { databaseMb, memoryMb }: Pick<Size, "databaseMb" | "memoryMb">): boolean {
  return memoryMb <= machine.memoryGb * 1024 && databaseMb <= machine.storageGb * 1024;
}
