import type { NodeFacts, ReportedStatus } from "@skep/core/model/report.ts";
import type { Change } from "@skep/core/world/plan.ts";
import type { Instance } from "@skep/core/model/instance.ts";
import type { Route } from "@skep/core/model/routing.ts";
import { aNode, anInstance } from "@skep/core/testing/builders.ts";
import type { StatusReport } from "../reports.ts";

/** Facts of a node's agent. */
export function someFacts(over: Partial<NodeFacts> = {}): NodeFacts {
  const { hostname, address, os, architecture, engineVersion, engineLabels, capacity } = aNode();
  const nodeId = over.nodeId ?? "node-1";
  return {
    nodeId,
    sessionId: "session-1",
    bootId: "boot-1",
    hostname: over.nodeId ?? hostname,
    address,
    os,
    architecture,
    engineVersion,
    engineLabels,
    capacity,
    ...over,
  };
}

/** A route of `acme.web`. */
export function aRoute(over: Partial<Route> = {}): Route {
  return {
    deploymentId: "acme.web",
    tenantId: "acme",
    release: 1,
    router: "web",
    kind: "http",
    domain: "web.example",
    path: "/",
    rule: "Host(`web.example`)",
    entryPoints: ["web"],
    priority: undefined,
    container: "app",
    targetPort: 80,
    tls: false,
    weight: 1,
    balancing: "wrr",
    middlewares: [{ name: "gzip", options: { compress: {} } }],
    service: {},
    ...over,
  };
}

/** A report of `node-1` in its first session. */
export function aReport(over: Partial<StatusReport> = {}): StatusReport {
  return { nodeId: "node-1", sessionId: "session-1", seq: 1, full: false, statuses: [], gone: [], ...over };
}

/** `acme.web.1` at epoch 1, running in one container. */
export function aStatus(over: Partial<ReportedStatus> = {}): ReportedStatus {
  return {
    instanceId: "acme.web.1",
    epoch: 1,
    state: "running",
    health: "healthy",
    containers: [{ name: "app", id: "c1", imageId: "sha256:1", running: true, exitCode: undefined, restarts: 0 }],
    ports: [],
    message: "",
    ...over,
  };
}

/** The creation of `acme.web.<serial>`. */
export function creation(serial: number, over: Partial<Instance> = {}): Change {
  const instance = anInstance({ id: `acme.web.${serial}`, ...over });
  return { kind: "create-instance", serial, instance };
}

/** The placement of `acme.web.<serial>` on `node-1`. */
export function placement(serial: number, over: Partial<Extract<Change, { kind: "place" }>> = {}): Change {
  return {
    kind: "place",
    instanceId: `acme.web.${serial}`,
    epoch: 1,
    nodeId: "node-1",
    ports: [],
    placement: serial,
    because: "it had the least load",
    ...over,
  };
}

/** What becomes of a call: `done`, or code and reason of its refusal. */
export function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "done",
    (error: { code: string; reason: string }) => `${error.code} ${error.reason}`,
  );
}
