import { connect, type MqttClient } from "mqtt";
import { MOVING, type MoveRig } from "./move-rig.ts";

/** Devices that publish at QoS 1 without a pause, and what the broker acknowledged of it. */
export interface MoveDevices {
  /** How many messages of each device were acknowledged. */
  acknowledged(): ReadonlyMap<string, number>;
  /** Publishes nothing more; resolves once all that was published is acknowledged. */
  stop(): Promise<void>;
}

const EACH_MS = 15;

/** Has every device publish numbers from 1 on, the next one once the last is acknowledged. */
export function sendFrom(rig: MoveRig, from: ReadonlyMap<string, number> = new Map()): MoveDevices {
  const acknowledged = new Map<string, number>(from);
  const clients: MqttClient[] = [];
  let isEnding = false;

  async function send(device: string): Promise<void> {
    const client = connect(rig.gateUrl, {
      ...{ ...rig.loginOf(device), clientId: device },
      ...{ protocolVersion: 5, clean: false, reconnectPeriod: 100, properties: { sessionExpiryInterval: 3_600 } },
    });
    client.on("error", () => undefined);
    clients.push(client);
    for (let number = (acknowledged.get(device) ?? 0) + 1; !isEnding; number += 1) {
      const properties = { userProperties: { id: String(number) } };
      await client.publishAsync(`${MOVING}/devices/${device}/telemetry/n`, JSON.stringify({ number }), {
        qos: 1,
        properties,
      });
      acknowledged.set(device, number);
      await new Promise(resolve => setTimeout(resolve, EACH_MS));
    }
  }

  const sending = rig.devices.map(send);
  return {
    acknowledged: () => acknowledged,
    stop: async () => {
      isEnding = true;
      await Promise.all(sending);
      await Promise.all(clients.map(one => one.endAsync()));
    },
  };
}
