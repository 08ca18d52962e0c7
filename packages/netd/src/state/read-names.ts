import { nameTableFromProto } from "@skep/api/codec/directory.ts";
import type * as proto from "@skep/api/gen/skep/v1/names_pb.ts";
import type { NameTable } from "@skep/core/network/names.ts";
import type { Fault } from "./fault.ts";
import type { Attachment } from "./net-state.ts";

/**
 * The table of names. Only who is attached here asks here: an address that nothing has could be
 * claimed, and would be answered as somebody else's.
 */
export function readNames(
  message: proto.NameTable | undefined,
  attachments: readonly Pick<Attachment, "address" | "tenantId">[],
  faults: Fault[],
): NameTable {
  if (message === undefined) return { askers: [], tenants: [] };
  const { askers, tenants } = nameTableFromProto(message);
  const owners = new Map(attachments.map(one => [one.address, one.tenantId]));
  const here = askers.filter(({ address, tenantId }) => {
    if (owners.get(address) === tenantId) return true;
    const text = `${address} cannot ask for names of ${tenantId}: no attachment of that tenant has it; attach it first`;
    faults.push({ reason: "names-invalid", message: text });
    return false;
  });
  return { askers: here, tenants };
}
