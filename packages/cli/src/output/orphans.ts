import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Orphan } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { renderTable } from "./table.ts";
import type { View } from "./view.ts";
import { duration } from "./words.ts";

/** What runs without a record, as a table of its own. */
export function renderOrphans({ io }: View, orphans: readonly Orphan[]): string {
  if (orphans.length === 0) return "";
  const rows = orphans.map(one => [
    `${one.instanceId} (epoch ${one.epoch})`,
    one.hostname,
    one.since === undefined ? "" : duration(io.now() - timestampMs(one.since)),
    one.because,
  ]);
  const table = renderTable(
    ["WITHOUT A RECORD", "NODE", "SINCE", "LEFT ALONE BECAUSE"].map(heading => ({ heading })),
    rows,
    io.isTty ? io.width : undefined,
  );
  return `${table}\`skep recover\` shows what can be done about them.\n`;
}
