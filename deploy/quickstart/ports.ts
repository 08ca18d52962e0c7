import { createServer } from "node:net";
import type { StartOptions } from "./options.ts";

/** A port of this machine that a start opens, and where it leads on the fleet's first node. */
export interface StartPort {
  /** The option that names another one. */
  readonly option: string;
  readonly port: number;
  readonly onNode: number;
}

/** The ports that a start opens. */
export function portsOf(options: StartOptions): readonly StartPort[] {
  return [
    { option: "--port", port: options.httpPort, onNode: 80 },
    { option: "--api-port", port: options.apiPort, onNode: 7700 },
    ...(options.workspaces ? [{ option: "--mqtt-port", port: options.mqttPort, onNode: 1883 }] : []),
  ];
}

/** The error for a port that cannot be opened. */
export function portTaken({ option, port }: StartPort, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Error(`Port ${port} of this machine is not free (${why}): name another by ${option}.`);
}

/**
 * Looks at the ports before anything is begun: they are opened minutes later, once the stack runs.
 * @throws Error that names the first one that is not free.
 */
export async function refuseTakenPorts(options: StartOptions): Promise<void> {
  for (const one of portsOf(options)) {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", cause => reject(portTaken(one, cause)));
      server.listen(one.port, "127.0.0.1", resolve);
    });
    await new Promise<void>(resolve => void server.close(() => resolve()));
  }
}
