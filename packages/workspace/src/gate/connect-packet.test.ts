import { Buffer } from "node:buffer";
import { generate, parser, type IConnackPacket, type Packet } from "mqtt-packet";
import { expect, it } from "vitest";
import { connackForDevice, readConnect, type Application } from "./connect-packet.ts";

const V5 = { protocolVersion: 5 } as const;

/** What a device gets of an answer of the broker. */
function answered(properties: object): IConnackPacket["properties"] {
  const asked = readConnect(
    generate({
      ...{ cmd: "connect", protocolId: "MQTT", protocolVersion: 5, clean: true, clientId: "x", keepalive: 60 },
      ...{ username: "acme/devices/d1", password: Buffer.from("s") },
    }),
  ) as Application;
  const packet = { cmd: "connack", reasonCode: 0, sessionPresent: false, properties } as Packet;
  let found: Packet | undefined;
  const parse = parser(V5);
  parse.on("packet", one => (found = one));
  parse.parse(connackForDevice(generate(packet, V5), asked));
  return (found as IConnackPacket).properties;
}

it("tells a device how many messages may wait, and grants no topic alias", () => {
  expect(answered({ topicAliasMaximum: 10 })).toEqual({ receiveMaximum: 100 });
  expect(answered({ receiveMaximum: 65_535 })).toEqual({ receiveMaximum: 100 });
  expect(answered({ receiveMaximum: 20 })).toEqual({ receiveMaximum: 20 });
});
