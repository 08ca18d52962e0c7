import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Quota, Tenant } from "@skep/core/model/tenant.ts";
import type { Quota as QuotaMessage, TenantSchema } from "../gen/skep/v1/tenant_pb.ts";
import { fromUint64, toUint64 } from "./number.ts";

/** A tenant as a message. */
export function tenantToProto({ id, quota }: Tenant): MessageInitShape<typeof TenantSchema> {
  const { instances, cpuMillis, memoryBytes } = quota;
  return {
    id,
    quota: {
      instances,
      cpuMillis: cpuMillis === undefined ? undefined : toUint64(cpuMillis),
      memoryBytes: memoryBytes === undefined ? undefined : toUint64(memoryBytes),
    },
  };
}

/** A message's quota; absent bounds are none. */
export function quotaFromProto(quota: QuotaMessage | undefined): Quota {
  const bound = (value: bigint | undefined, field: string): number | undefined =>
    value === undefined ? undefined : fromUint64(value, `quota.${field}`);
  return {
    instances: quota?.instances,
    cpuMillis: bound(quota?.cpuMillis, "cpu_millis"),
    memoryBytes: bound(quota?.memoryBytes, "memory_bytes"),
  };
}
