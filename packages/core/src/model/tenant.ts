/**
 * Id of a tenant: lower-case letters, digits and dashes, 1 to 40 characters; it is also the
 * tenant's name.
 */
export type TenantId = string;

/** The most a tenant may hold at once; `undefined` means no bound. */
export interface Quota {
  readonly instances: number | undefined;
  readonly cpuMillis: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** Owner, wall and quota. */
export interface Tenant {
  readonly id: TenantId;
  readonly quota: Quota;
}
