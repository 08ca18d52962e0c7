/** What kinds of things go wrong; programs may tell them apart by these words. */
export type FaultReason =
  | "attachment-invalid"
  | "attachment-failed"
  | "peer-invalid"
  | "peer-failed"
  | "way-unavailable"
  | "block-shared"
  | "block-overlaps"
  | "port-taken"
  | "remote-invalid"
  | "walls-invalid"
  | "names-invalid"
  | "firewall"
  | "no-forwarding"
  | "kernel";

/** Something that could not be made, or that stands in the way, in words for a person. */
export interface Fault {
  readonly reason: FaultReason;
  readonly message: string;
  readonly instanceId?: string;
  readonly epoch?: number;
  readonly nodeId?: string;
}

/** One line per fault that stays the same while the fault does. */
export function faultKey({ reason, instanceId = "", epoch = 0, nodeId = "", message }: Fault): string {
  return [reason, instanceId, epoch, nodeId, message].join("\n");
}
