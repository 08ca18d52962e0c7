import { createServer, type AddressInfo, type Server } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseStartOptions, type StartOptions } from "./options.ts";
import { refuseTakenPorts } from "./ports.ts";

let taken: Server;
const portOf = (server: Server): number => (server.address() as AddressInfo).port;
const listen = (): Promise<Server> =>
  new Promise(resolve => {
    const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
  });
const close = (server: Server): Promise<void> => new Promise(resolve => void server.close(() => resolve()));

beforeEach(async () => {
  taken = await listen();
});
afterEach(() => close(taken));

async function options(over: Partial<StartOptions>): Promise<StartOptions> {
  const others = await Promise.all([listen(), listen(), listen()]);
  const [httpPort = 0, apiPort = 0, mqttPort = 0] = others.map(portOf);
  await Promise.all(others.map(close));
  return { ...(parseStartOptions([]) as StartOptions), httpPort, apiPort, mqttPort, ...over };
}

describe("the ports of a start", () => {
  it.each([
    ["--port", "httpPort"],
    ["--api-port", "apiPort"],
    ["--mqtt-port", "mqttPort"],
  ])("are looked at first: %s", async (option, name) => {
    const port = portOf(taken);
    await expect(refuseTakenPorts(await options({ [name]: port }))).rejects.toThrow(
      new RegExp(`^Port ${port} of this machine is not free \\(.*EADDRINUSE.*\\): name another by ${option}\\.$`),
    );
  });

  it("are no matter where they are free, and are free afterwards, or are not opened", async () => {
    const free = await options({});
    await refuseTakenPorts(free);
    await refuseTakenPorts(free);
    await refuseTakenPorts(await options({ mqttPort: portOf(taken), workspaces: false }));
  });
});
