import { createServer, type AddressInfo, type Socket } from "node:net";
import { generate, parser, type Packet } from "mqtt-packet";
import { expect, it, onTestFinished, vi } from "vitest";
import { simulateDevice } from "./device.ts";

const MQTT_5 = { protocolVersion: 5 } as const;
const login = { user: "fleet/devices/car-1", secret: "word" };

/** A broker that lets everybody in and hands over what it is sent. */
async function brokerThat(take: (packet: Packet, socket: Socket) => void): Promise<number> {
  const server = createServer(socket => {
    const packets = parser(MQTT_5);
    packets.on("packet", packet => {
      if (packet.cmd === "connect")
        socket.write(generate({ cmd: "connack", reasonCode: 0, sessionPresent: false }, MQTT_5));
      take(packet, socket);
    });
    socket.on("data", data => void packets.parse(data)).on("error", () => undefined);
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

it("says who it is, and sends a message again under its number when the PUBACK did not come", async () => {
  const seen: unknown[] = [];
  const port = await brokerThat((packet, socket) => {
    if (packet.cmd === "connect") seen.push([packet.clientId, packet.username, String(packet.password)]);
    if (packet.cmd !== "publish") return;
    seen.push([packet.topic, packet.qos, { ...packet.properties?.userProperties }]);
    // The second message goes lost once.
    if (seen.length === 3) socket.destroy();
    else socket.write(generate({ cmd: "puback", messageId: packet.messageId ?? 0, reasonCode: 0 }, MQTT_5));
  });
  const device = simulateDevice("127.0.0.1", port, login, 10);
  onTestFinished(() => device.end());
  await vi.waitFor(() => expect(device.acknowledged).toBeGreaterThan(2), 10_000);
  const hello = [login.user, login.user, login.secret];
  const message = (id: string): unknown => ["fleet/devices/car-1/telemetry/climate", 1, { id }];
  expect(seen.slice(0, 6)).toEqual([hello, message("0"), message("1"), hello, message("1"), message("2")]);
  expect(device.trouble).toBe("");
});

it("says what keeps it out", async () => {
  const port = await brokerThat((packet, socket) => void (packet.cmd === "connect" && socket.destroy()));
  const device = simulateDevice("127.0.0.1", port, login, 10);
  onTestFinished(() => device.end());
  await vi.waitFor(() => expect(device.trouble).toBe("its connection ended"));
  expect(device.acknowledged).toBe(0);
});
