import { mosquittoPassword } from "@skep/kit/mosquitto-password.ts";
import { randomBytes } from "node:crypto";

/** What the broker's own users show. */
export interface BrokerSecrets {
  /** Of the gates, which speak for devices. */
  readonly gate: string;
  /** Of the hosts, which read for workspaces and send commands. */
  readonly host: string;
}

/** Mosquitto's password file. It never changes as devices come and go, so nothing is read anew. */
export function brokerPasswords({ gate, host }: BrokerSecrets): string {
  const line = (user: string, password: string): string => mosquittoPassword(user, password, randomBytes(12));
  return [line("gate", gate), line("host", host), ""].join("\n");
}
