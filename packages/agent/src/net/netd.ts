import type { MessageInitShape } from "@bufbuild/protobuf";
import type { NetStateSchema } from "@skep/api/gen/skep/v1/net_pb.ts";

/** The whole of what netd is to make of the node's network, as its message. */
export type NetState = Exclude<MessageInitShape<typeof NetStateSchema>, { readonly $typeName: string }>;

/** Something that netd could not make, or that stands in its way. */
export interface NetFault {
  /** A stable word. */
  readonly reason: string;
  readonly message: string;
  /** The copy that it concerns; `""` and 0 where it concerns none. */
  readonly instanceId: string;
  readonly epoch: number;
}

/** The netd of the node as a port. */
export interface Netd {
  /**
   * Tells it the whole state, and answers what is wrong. An attachment that no fault names works.
   * @throws SkepError in netd's words for a state that it refuses, any error where it does not
   * answer in time.
   */
  apply(state: NetState): Promise<readonly NetFault[]>;
}
