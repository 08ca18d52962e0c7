import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ReportedVolume } from "@skep/core/model/volume.ts";
import type { VolumeOnNode, VolumeOnNodeSchema } from "../gen/skep/v1/agent_pb.ts";
import { fromUint64, toUint64 } from "./number.ts";

/** A volume on an engine as its message. */
export function volumeOnNodeToProto(volume: ReportedVolume): MessageInitShape<typeof VolumeOnNodeSchema> {
  return { ...volume, serial: toUint64(volume.serial) };
}

/** Reads one. @throws SkepError for a serial that is too large for a number. */
export function volumeOnNodeFromProto({ tenantId, owner, name, serial, inUse }: VolumeOnNode): ReportedVolume {
  return { tenantId, owner, name, serial: fromUint64(serial, `serial of volume ${name}`), inUse };
}
