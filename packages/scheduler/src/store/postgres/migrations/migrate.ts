import { volumes } from "./0013-volumes.ts";
import { sql, type Kysely } from "kysely";
import { Migrator, type Migration } from "kysely/migration";
import { createFunctions } from "../functions/create-functions.ts";
import { records } from "./0001-records.ts";
import { frozenReplicas } from "./0004-frozen-replicas.ts";
import { worldChanges } from "./0005-world-changes.ts";
import { indexes } from "./0006-indexes.ts";
import { retention } from "./0007-retention.ts";
import { serialsAndRemovals } from "./0010-serials-and-removals.ts";
import { identity, MINT_IDENTITY } from "./0011-identity.ts";
import { releasedPorts } from "./0016-released-ports.ts";
import { routesOfReleases } from "./0017-routes-of-releases.ts";
import { nodeKeys } from "./0019-node-keys.ts";
import { replicaHolders } from "./0020-replica-holders.ts";
import { bridges } from "./0021-bridges.ts";
import { receiptKey } from "./0022-receipt-key.ts";
import { assignmentStamps } from "./0023-assignment-stamps.ts";
import { firstCommitPlan } from "./0025-first-commit-plan.ts";
import { skippedSerials } from "./0026-skipped-serials.ts";
import { workspaces } from "./0028-workspaces.ts";
import { workspaceRules } from "./0029-workspace-rules.ts";
import { hosting } from "./0030-hosting.ts";
import { devices } from "./0032-devices.ts";
import { hostAddresses } from "./0040-host-addresses.ts";
import { gates } from "./0042-gates.ts";
import { workspaceMoves } from "./0044-workspace-moves.ts";
import { workspaceWebhooks } from "./0046-workspace-webhooks.ts";
import { projectsOfReleases } from "./0054-projects-of-releases.ts";
import { podProblems } from "./0049-pod-problems.ts";
import { nodeBlocks } from "./0062-node-blocks.ts";
import { scaledWorkspaces } from "./0047-scaled-workspaces.ts";
import { ownersOfVolumes } from "./0058-owners-of-volumes.ts";

/** It made functions and triggers, which are in `functions/` now; databases remember its name. */
const MOVED: Migration = { up: () => Promise.resolve() };

/**
 * In order of their names. A migration that has been released is never changed: the next one
 * corrects it.
 */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-records": { up: records },
  "0002-bookkeeping": MOVED,
  "0003-commit-plan": MOVED,
  "0004-frozen-replicas": { up: frozenReplicas },
  "0005-world-changes": { up: worldChanges },
  "0006-indexes": { up: indexes },
  "0007-retention": { up: retention },
  "0010-serials-and-removals": { up: serialsAndRemovals },
  "0011-identity": { up: identity },
  "0013-volumes": { up: volumes },
  "0016-released-ports": { up: releasedPorts },
  "0017-routes-of-releases": { up: routesOfReleases },
  "0019-node-keys": { up: nodeKeys },
  "0020-replica-holders": { up: replicaHolders },
  "0021-bridges": { up: bridges },
  "0022-receipt-key": { up: receiptKey },
  "0023-assignment-stamps": { up: assignmentStamps },
  "0025-first-commit-plan": { up: firstCommitPlan },
  "0026-skipped-serials": { up: skippedSerials },
  "0028-workspaces": { up: workspaces },
  "0029-workspace-rules": { up: workspaceRules },
  "0030-hosting": { up: hosting },
  "0032-devices": { up: devices },
  "0040-host-addresses": { up: hostAddresses },
  "0042-gates": { up: gates },
  "0044-workspace-moves": { up: workspaceMoves },
  "0046-workspace-webhooks": { up: workspaceWebhooks },
  "0047-scaled-workspaces": { up: scaledWorkspaces },
  "0049-pod-problems": { up: podProblems },
  "0054-projects-of-releases": { up: projectsOfReleases },
  "0058-owners-of-volumes": { up: ownersOfVolumes },
  "0062-node-blocks": { up: nodeBlocks },
};

/**
 * Brings the database to this version's shape, forward only: the numbered migrations, then the
 * functions and triggers. Any number of replicas may call it at once: a lock in the database lets
 * one do the work while the others wait. @throws the database's error; nothing of a failed
 * migration remains.
 */
export async function migrate<T>(db: Kysely<T>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  await createFunctions(db);
  await sql.raw(MINT_IDENTITY).execute(db);
}
