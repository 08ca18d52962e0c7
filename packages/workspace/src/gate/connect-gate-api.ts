import { createClient, type Transport } from "@connectrpc/connect";
import { fromConnectError } from "@skep/api/codec/error.ts";
import { GateService } from "@skep/api/gen/skep/v1/gate_pb.ts";
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
      call(async () => (await client().admitDevices({ claims: [...claims] }, options)).versions.map(Number)),
    report: devices =>
      call(async () => {
        const told = devices.map(one => ({ ...one, version: BigInt(one.version) }));
        return (await client().reportDevices({ devices: told }, options)).mayStay;
      }),
  };
}
