import { connect, type Socket } from "node:net";
import { generate, parser as packetParser, type Packet } from "mqtt-packet";

/** A device as the simulation has it. */
export interface DeviceLogin {
  /** `{workspace}/devices/{device}`, its user name and the front of its topics. */
  readonly user: string;
  readonly secret: string;
}

/** A simulated device that publishes at QoS 1 until it is ended. */
export interface SimulatedDevice {
  /** How many of its messages have their PUBACK. */
  readonly acknowledged: number;
  /** What went wrong last; empty while nothing does. */
  readonly trouble: string;
  end(): void;
}

const AGAIN_MS = 1_000;
const QUIET_MS = 15_000;
const MQTT_5 = { protocolId: "MQTT", protocolVersion: 5 } as const;

/**
 * Has a device publish a message each `everyMs` at the edge that `host` and `port` lead to. It
 * numbers its messages by the user property `id`, and sends one again whose PUBACK did not come:
 * such a message is stored once.
 */
export function simulateDevice(host: string, port: number, login: DeviceLogin, everyMs: number): SimulatedDevice {
  const self = { acknowledged: 0, trouble: "it is not connected yet" };
  let socket: Socket | undefined;
  let isEnded = false;
  let reading = 15 + Math.random() * 10;
  let waiting: NodeJS.Timeout | undefined;

  function publish(): void {
    const number = self.acknowledged;
    const payload = JSON.stringify({ temperature: Number(reading.toFixed(1)), number });
    socket?.write(
      generate(
        {
          ...{ cmd: "publish", topic: `${login.user}/telemetry/climate`, payload, qos: 1, dup: false, retain: false },
          ...{ messageId: (number % 65_535) + 1, properties: { userProperties: { id: String(number) } } },
        },
        MQTT_5,
      ),
    );
  }

  function take(packet: Packet): void {
    if (packet.cmd === "connack" && packet.reasonCode !== 0) self.trouble = `it was refused (${packet.reasonCode})`;
    else if (packet.cmd === "connack") {
      self.trouble = "";
      publish();
    } else if (packet.cmd === "puback") {
      self.acknowledged += 1;
      reading += (Math.random() - 0.5) * 0.4;
      waiting = setTimeout(publish, everyMs);
    }
  }

  function open(): void {
    const parser = packetParser(MQTT_5);
    parser.on("packet", take).on("error", error => void socket?.destroy(error));
    socket = connect({ host, port });
    const hello = { clientId: login.user, username: login.user, password: Buffer.from(login.secret) };
    const packet = { ...MQTT_5, ...hello, cmd: "connect", clean: true, keepalive: 0 } as const;
    socket.write(generate(packet));
    socket.setTimeout(everyMs + QUIET_MS, () => socket?.destroy(new Error("nothing is answered")));
    socket.on("data", data => void parser.parse(data));
    socket.on("error", error => (self.trouble = error.message));
    socket.once("close", () => {
      clearTimeout(waiting);
      self.trouble ||= "its connection ended";
      if (!isEnded) waiting = setTimeout(open, AGAIN_MS);
    });
  }

  open();
  return {
    get acknowledged() {
      return self.acknowledged;
    },
    get trouble() {
      return self.trouble;
    },
    end() {
      isEnded = true;
      clearTimeout(waiting);
      socket?.destroy();
    },
  };
}
