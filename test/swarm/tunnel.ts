import { spawn } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import type { FleetNode } from "@skep/devswarm/fleet.ts";

/** A port of this machine that leads to a server of a network that this machine is not in. */
export interface Tunnel {
  readonly port: number;
  close(): void;
}

/** Opens one to what a container of the node reaches; the container needs Node. */
export async function openTunnel(
  node: FleetNode,
  container: string,
  to: { readonly host: string; readonly port: number },
): Promise<Tunnel> {
  const script = `const s = require("net").connect(${to.port}, "${to.host}"); process.stdin.pipe(s).pipe(process.stdout)`;
  const children = new Set<ReturnType<typeof spawn>>();
  const server = createServer(socket => {
    const argv = ["-H", `unix://${node.socket}`, "exec", "-i", container, "node", "-e", script];
    const child = spawn("docker", argv, { stdio: ["pipe", "pipe", "ignore"] });
    children.add(child);
    socket.on("error", () => child.kill());
    child.stdin.on("error", () => socket.destroy());
    child.on("exit", () => socket.destroy());
    socket.pipe(child.stdin);
    child.stdout.pipe(socket);
  });
  await new Promise<void>(done => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const child of children) child.kill();
    },
  };
}
