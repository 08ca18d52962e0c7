import { workspaceAnswer } from "@skep/api/codec/stored/workspace.ts";
import { changedWorkspace, firstWorkspace, refuseWorkspace } from "@skep/core/workspace/record.ts";
import type { Records } from "../memory-records.ts";
import { refuse } from "../refusals.ts";
import type { WorkspaceStore } from "../workspace-store.ts";
import { once } from "./once.ts";
import { pageOf } from "./spec.ts";

/** Passes a call of the store's on, as the network between would. */
type Pass = <T>(call: string, run: () => T) => Promise<T>;

/** See `WorkspaceStore`. */
export function createWorkspaces(records: Records, pass: Pass): WorkspaceStore {
  const { workspaces, tenants } = records;
  return {
    createWorkspace: (wanted, request, now) =>
      pass("createWorkspace", () => {
        const record = firstWorkspace(wanted, now);
        const { id, tenantId } = record;
        return once(records, request, `workspace.create ${id}`, wanted, now, workspaceAnswer, audit => {
          const holder = workspaces.get(id);
          if (holder?.desired === "deleted") throw refuseWorkspace.beingDeleted(id);
          if (holder !== undefined) throw refuse.workspaceExists(id);
          if ((records.workspaceRemains.get(id) ?? tenantId) !== tenantId) throw refuseWorkspace.dataKept(id);
          if (!tenants.has(tenantId)) throw refuse.noTenant(tenantId);
          workspaces.set(id, record);
          audit();
          return record;
        });
      }),
    changeWorkspace: (id, change, expectVersion, request, now) =>
      pass("changeWorkspace", () => {
        const argument = { change, expectVersion };
        return once(records, request, `workspace.change ${id}`, argument, now, workspaceAnswer, audit => {
          const before = workspaces.get(id);
          if (before === undefined) throw refuse.noWorkspace(id);
          const after = changedWorkspace(before, change, expectVersion, now);
          if (after === before) return after;
          workspaces.set(id, after);
          audit();
          return after;
        });
      }),
    getWorkspace: id => pass("getWorkspace", () => workspaces.get(id)),
    listWorkspaces: (filter, page) =>
      pass("listWorkspaces", () => {
        const wanted = [...workspaces.values()].filter(one => (filter.tenantId ?? one.tenantId) === one.tenantId);
        return pageOf(wanted, page, one => one.id);
      }),
  };
}
