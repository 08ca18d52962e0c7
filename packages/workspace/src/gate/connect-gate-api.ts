import { createClient, type Transport } from "@connectrpc/connect";
import { fromConnectError } from "@skep/api/codec/error.ts";
import { GateService, type WorkspaceBroker } from "@skep/api/gen/skep/v1/gate_pb.ts";
import type { ToldBroker } from "./brokers.ts";
import type { GateApi } from "./gate-api.ts";

const TIMEOUT_MS = 5_000;

/** The schedulers over Connect; a call that fails goes to the next of them as it is made again. */
export function createGateApi(transports: readonly Transport[], secret: string | undefined): GateApi {
  const clients = transports.map(transport => createClient(GateService, transport));
  const headers: Record<string, string> = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
  const options = { headers, timeoutMs: TIMEOUT_MS };
  let turn = 0;
  const client = (): (typeof clients)[number] => clients[turn % clients.length]!;

  async function call<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (thrown) {
      turn += 1;
      throw fromConnectError(thrown);
    }
  }

  return {
    admit: claims =>
      call(async () => {
        const { versions, brokers } = await client().admitDevices({ claims: [...claims] }, options);
        return { versions: versions.map(Number), brokers: brokers.map(toTold) };
      }),
    report: devices =>
      call(async () => {
        const told = devices.map(one => ({ ...one, version: BigInt(one.version) }));
        return (await client().reportDevices({ devices: told }, options)).mayStay;
      }),
    place: ({ seq, places, ...report }) =>
      call(async () => {
        const told = places.map(one => ({ ...one, serial: BigInt(one.serial) }));
        const { brokers } = await client().reportBrokers({ ...report, seq: BigInt(seq), places: told }, options);
        return brokers.map(toTold);
      }),
  };
}

function toTold({ workspaceId, serial, own, isSwitched }: WorkspaceBroker): ToldBroker {
  const told = { workspaceId, serial: Number(serial), isSwitched };
  if (own === undefined) return { ...told, broker: "shared" };
  if (own.host === "") return { ...told, broker: "nowhere" };
  const { host, port, user: username, password } = own;
  return { ...told, broker: { host, port, login: { username, password } } };
}
