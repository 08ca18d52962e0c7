import type { PortBinding } from "@skep/core/model/instance.ts";

/**
 * Writes port bindings as a label, `web:8080/tcp=20001,metrics:9090/tcp=20002`. A sandbox publishes
 * the ports of several containers, and the engine's own list cannot say whose port is whose.
 */
export function formatPorts(ports: readonly PortBinding[]): string {
  return ports.map(port => `${port.container}:${port.containerPort}/${port.protocol}=${port.hostPort}`).join(",");
}

/** Reads what `formatPorts` wrote; parts that do not read as a binding are left out. */
export function parsePorts(label: string | undefined): PortBinding[] {
  const ports: PortBinding[] = [];
  for (const part of (label ?? "").split(",")) {
    const match = /^([^:,]+):(\d{1,5})\/(tcp|udp)=(\d{1,5})$/.exec(part);
    if (match === null) continue;
    const [, container = "", containerPort, protocol, hostPort] = match;
    ports.push({
      container,
      containerPort: Number(containerPort),
      protocol: protocol === "udp" ? "udp" : "tcp",
      hostPort: Number(hostPort),
    });
  }
  return ports;
}
