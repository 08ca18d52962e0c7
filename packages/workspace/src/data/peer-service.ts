import type { ServiceImpl } from "@connectrpc/connect";
import { fromUint64, toUint32 } from "@skep/api/codec/number.ts";
import type { PeerService } from "@skep/api/gen/skep/v1/peer_pb.ts";
import { halfOf } from "./call.ts";
import { collectionNamed } from "../move/peer.ts";

/** What a host answers to the other half of a workspace that moves, and only while it moves. */
export function peerHandlers(): ServiceImpl<typeof PeerService> {
  return {
    import: async ({ collection, documents }, context) => {
      const written = await halfOf(context).portable.importAll(collectionNamed(collection), documents);
      return { stored: toUint32(written.stored), refused: Object.fromEntries(written.refused) };
    },
    keys: async ({ collection, fromMs, untilMs, after }, context) => {
      const window = { from: fromUint64(fromMs, "from_ms"), until: fromUint64(untilMs, "until_ms") };
      return { keys: [...(await halfOf(context).portable.keysPage(collectionNamed(collection), window, after))] };
    },
  };
}
