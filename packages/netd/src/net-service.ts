import type { MessageInitShape } from "@bufbuild/protobuf";
import { ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { PROTOCOL_VERSION } from "@skep/api/codec/envelope.ts";
import { toConnectError } from "@skep/api/codec/error.ts";
import type { NetFaultSchema, NetService, NetState } from "@skep/api/gen/skep/v1/net_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { Keeper } from "./keeper.ts";
import type { Fault } from "./state/fault.ts";

/** What netd answers to its agent. */
export function netHandlers(keeper: Keeper): ServiceImpl<typeof NetService> {
  return {
    apply: ({ state }) =>
      answered(async () => {
        const { revision, done, faults } = await keeper.apply(readable(state));
        return { revision: BigInt(revision), done: done.map(step => step.kind), faults: faults.map(toMessage) };
      }),
    inspect: () =>
      answered(async () => {
        const { revision, sessionId, faults, repairs } = keeper.inspect();
        return { revision: BigInt(revision), sessionId, faults: faults.map(toMessage), repairs: BigInt(repairs) };
      }),
  };
}

/** A sender whose words this version would misread is refused, as everywhere. */
function readable(state: NetState | undefined): NetState {
  if (state === undefined) throw new SkepError("invalid_argument", "NET_STATE_MISSING", "No state was sent; send one.");
  if (state.minReaderVersion <= PROTOCOL_VERSION) return state;
  throw new SkepError(
    "failed_precondition",
    "PROTOCOL_TOO_NEW",
    `The state needs protocol version ${state.minReaderVersion} and netd speaks ${PROTOCOL_VERSION}; update netd first.`,
  );
}

function toMessage(fault: Fault): MessageInitShape<typeof NetFaultSchema> {
  return fault;
}

async function answered<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof SkepError ? toConnectError(error) : ConnectError.from(error);
  }
}
