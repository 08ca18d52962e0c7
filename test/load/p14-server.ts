import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createEventServer } from "@skep/workspace/events/server.ts";
import type { WorkspaceEvent } from "@skep/workspace/index.ts";
import { Server } from "socket.io";

/** The events of a workspace and a bare room of Socket.IO, in a process of their own. */

/** What the process is asked: to emit so many events a second for a while. */
export interface EmitRequest {
  readonly emit: "ours" | "bare";
  readonly perSecond: number;
  readonly ms: number;
  readonly devices: number;
}

/** What it took. */
export interface EmitAnswer {
  readonly emitted: number;
  readonly processorUs: number;
}

const LIMITS = { sockets: 2_000, events: 1_000, channels: 50 };
/** As often as ingest hands a batch on. */
const EVERY_MS = 5;

const ours = await listen();
const workspace = await createEventServer({ http: ours.http }).open({
  id: "load",
  secret: "sk_of_the_load",
  limits: LIMITS,
});
const bare = await listen();
const room = new Server(bare.http, { transports: ["websocket"], serveClient: false, perMessageDeflate: false }).of(
  "/ws/load",
);
room.on("connection", socket => {
  socket.on("subscribe", async (name: string, answer: (value: object) => void) => {
    await socket.join(name);
    answer({ ok: true });
  });
});

const emitters = {
  ours: (events: readonly WorkspaceEvent[]) => workspace.emit(events),
  bare: (events: readonly WorkspaceEvent[]) => {
    for (const event of events) room.to(event.topic).emit("event", event, "1700000000000-0");
  },
};

process.on("message", (request: EmitRequest) => void emit(request));
process.send?.({ ours: ours.port, bare: bare.port });

async function emit({ emit: name, perSecond, ms, devices }: EmitRequest): Promise<void> {
  const [cpu, beganAt] = [process.cpuUsage(), performance.now()];
  let emitted = 0;
  for (;;) {
    const elapsed = Math.min(ms, performance.now() - beganAt);
    const due = Math.floor((elapsed * perSecond) / 1_000) - emitted;
    const at = Date.now();
    emitters[name](
      Array.from({ length: due }, (_, index) => ({
        topic: `devices/d${(emitted + index) % devices}/telemetry/sensors`,
        data: { temperature: 21.5, humidity: 40, n: emitted + index },
        at,
      })),
    );
    emitted += due;
    if (elapsed >= ms) break;
    await new Promise(resolve => setTimeout(resolve, EVERY_MS));
  }
  // What was emitted last is yet to be written.
  await new Promise(resolve => setTimeout(resolve, 100));
  const { user, system } = process.cpuUsage(cpu);
  const answer: EmitAnswer = { emitted, processorUs: user + system };
  process.send?.(answer);
}

async function listen(): Promise<{ readonly http: HttpServer; readonly port: number }> {
  const http = createServer();
  await new Promise<void>(resolve => void http.listen(0, "127.0.0.1", resolve));
  return { http, port: (http.address() as AddressInfo).port };
}
