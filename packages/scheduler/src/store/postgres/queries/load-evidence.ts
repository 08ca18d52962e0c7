import { parseInstanceId } from "@skep/core/model/instance-id.ts";
import type { AssignmentLine } from "@skep/core/identity/assignment-line.ts";
import type { RecordsMark } from "@skep/core/identity/records-age.ts";
import type { Evidence } from "@skep/core/identity/strangers.ts";
import type { InstanceId } from "@skep/core/model/instance.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import { toInstance, toLocation } from "../rows.ts";
import { IDENTITY, toIdentity } from "./identity.ts";
import { SERIALS_QUERY, toSerials, type SerialsRow } from "./serials.ts";
import { askOne, listOf, type Queryable } from "../sql.ts";
import { LOCATION_COLUMNS, type InstanceRow, type LocationRow, type PlatformRow } from "../tables.ts";

interface EvidenceRow {
  rows: LocationRow[];
  instances: InstanceRow[];
  locations: LocationRow[];
  serials: SerialsRow[];
  platform: PlatformRow | null;
  term: number | null;
  line: AssignmentLine | null;
}

const LOCATIONS = `SELECT ${LOCATION_COLUMNS.join(", ")} FROM deployment_locations`;

/** One statement, so that all of it is of one moment. */
const LOAD = {
  name: "load-evidence",
  text: `SELECT ${listOf(`${LOCATIONS} WHERE node_id = $1`)} AS rows,
  ${listOf("SELECT * FROM instances WHERE id = ANY ($2)")} AS instances,
  ${listOf(`${LOCATIONS} WHERE instance_id = ANY ($2)`)} AS locations,
  ${listOf(`${SERIALS_QUERY} WHERE deployment_id = ANY ($3)`)} AS serials,
  ${IDENTITY} AS platform,
  (SELECT term FROM leases WHERE name = 'scheduler') AS term,
  (SELECT json_build_object('revision', assignment_revision, 'stamps', assignment_stamps)
    FROM node_metadata WHERE node_id = $1) AS line`,
};

/** See `PlanStore.loadEvidence`. */
export async function loadEvidence(
  db: Queryable,
  nodeId: NodeId,
  instanceIds: readonly InstanceId[],
): Promise<Evidence & { readonly mark: RecordsMark }> {
  const deployments = new Set(instanceIds.flatMap(id => parseInstanceId(id)?.deploymentId ?? []));
  const row = await askOne<EvidenceRow & Record<string, unknown>>(db, LOAD, [nodeId, instanceIds, [...deployments]]);
  const identity = toIdentity(row.platform);
  return {
    rows: row.rows.map(toLocation),
    instances: row.instances.map(toInstance),
    locations: row.locations.map(toLocation),
    serials: new Map(row.serials.map(one => [one.deployment_id, toSerials(one)])),
    serialFloor: identity.serialFloor,
    mark: {
      ...{ identity, term: row.term ?? 0 },
      lines: new Map(row.line === null ? [] : [[nodeId, row.line]]),
    },
  };
}
