import type { Io } from "../io.ts";

/** For whom something is shown. */
export interface View {
  readonly io: Io;
  /** Tenant that names without a dot belong to. */
  readonly tenant: string;
  /** Whether a program reads the output. */
  readonly json: boolean;
}

/** How a person calls a deployment: without the tenant where it is the view's own. */
export function shortName({ tenant }: View, id: string): string {
  return id.startsWith(`${tenant}.`) ? id.slice(tenant.length + 1) : id;
}
