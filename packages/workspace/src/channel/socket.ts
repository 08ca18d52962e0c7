import { X509Certificate } from "node:crypto";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, type SecureContext } from "node:tls";
import { SkepError } from "@skep/core/error.ts";
import type { ReaderSettings } from "./settings.ts";

/** Where a broker listens, and what it is trusted by. */
export interface Broker {
  readonly host: string;
  readonly port: number;
  /** Absent where it is spoken to in plain text. */
  readonly secure?: SecureContext;
}

const PORTS: Readonly<Record<string, number>> = { "mqtt:": 1_883, "mqtts:": 8_883 };

/** Reads an address. Throws where it is none of a broker, or its certificates are none. */
export function brokerOf({ url, ca }: Pick<ReaderSettings, "url" | "ca">): Broker {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const usual = PORTS[parsed?.protocol ?? ""];
  // The address itself is not shown: it may hold a password.
  if (parsed === undefined || usual === undefined || parsed.hostname === "")
    throw refused("its address is none; write mqtt://host:port, or mqtts://host:port for TLS");
  const where = { host: parsed.hostname.replace(/^\[|\]$/g, ""), port: Number(parsed.port || usual) };
  if (parsed.protocol === "mqtt:") return where;
  return { ...where, secure: createSecureContext(ca === undefined ? {} : { ca: certificates(ca) }) };
}

/** Node takes any text for certificates, and trusts none then. */
function certificates(pem: string): string {
  try {
    return new X509Certificate(pem).raw.length > 0 ? pem : "";
  } catch {
    throw refused("the certificates to trust are none; give them as PEM");
  }
}

/** Begins to connect. */
export function openSocket({ host, port, secure }: Broker): Socket {
  // A name is checked against the certificate; an address is as well, but must not be announced.
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket =
    secure === undefined ? connectTcp({ host, port }) : connectTls({ host, port, ...name, secureContext: secure });
  socket.setNoDelay(true);
  return socket;
}

function refused(because: string): SkepError {
  return new SkepError("invalid_argument", "BROKER_INVALID", `ERROR: MQTT connection failed: ${because}.`);
}
