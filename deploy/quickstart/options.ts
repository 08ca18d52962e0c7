import { parseArgs } from "node:util";

/** What `npm start -- ...` can be told. */
export interface StartOptions {
  readonly fleet: string;
  readonly nodes: number;
  /** Port on localhost at which tenants answer (`http://<name>.localhost:<port>`). */
  readonly httpPort: number;
  /** Port on localhost at which the API answers. */
  readonly apiPort: number;
  /** Port on localhost at which devices connect by MQTT. */
  readonly mqttPort: number;
  /** IoT workspaces, their engines, and devices that send. */
  readonly workspaces: boolean;
  /** Leave everything running when this program ends. */
  readonly keep: boolean;
  /**
   * Use the Docker engine that is there as a Swarm of one node, also where a fleet would be
   * possible.
   */
  readonly localEngine: boolean;
}

/** The text of `npm start -- --help`. */
export const USAGE = `npm start -- [options]

Brings up a local Docker Swarm, deploys Skep's own stack on it, three sample tenants and two IoT workspaces with devices that
send, and shows where to look. Ctrl-C takes everything down again.

  --nodes N        engines in the Swarm (default 3)
  --port N         where tenants answer: http://<name>.localhost:N (default 8080)
  --api-port N     where the API answers (default 7700)
  --mqtt-port N    where devices connect by MQTT (default 1883)
  --no-workspaces  the bare fleet: no IoT workspaces, none of their engines, no devices
  --keep           leave it running when you press Ctrl-C; the next start finds it again
  --fleet NAME     name of the local Swarm, to run several side by side (default skep)
  --local-engine   use this machine's own Docker engine as a Swarm of one node
  --help           this text
`;

/**
 * Reads the command line.
 * @throws Error with a sentence for the person, for an unknown option or a number out of range.
 */
export function parseStartOptions(argv: readonly string[]): StartOptions | "help" {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      nodes: { type: "string", default: "3" },
      port: { type: "string", default: "8080" },
      "api-port": { type: "string", default: "7700" },
      "mqtt-port": { type: "string", default: "1883" },
      "no-workspaces": { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
      fleet: { type: "string", default: "skep" },
      "local-engine": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  return {
    fleet: values.fleet,
    nodes: numberWithin("--nodes", values.nodes, 1, 9),
    httpPort: numberWithin("--port", values.port, 1, 65_535),
    apiPort: numberWithin("--api-port", values["api-port"], 1, 65_535),
    mqttPort: numberWithin("--mqtt-port", values["mqtt-port"], 1, 65_535),
    workspaces: !values["no-workspaces"],
    keep: values.keep,
    localEngine: values["local-engine"],
  };
}

function numberWithin(option: string, text: string, from: number, to: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw new Error(`${option} ${text}: not a whole number from ${from} to ${to}`);
}
