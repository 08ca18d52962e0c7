import { systemClock } from "@skep/kit/clock.ts";
import { systemRandom } from "@skep/kit/random.ts";
import type { Delivery, Reader } from "@skep/workspace/channel/delivery.ts";
import { openPublisher } from "@skep/workspace/channel/publisher.ts";
import { openReader } from "@skep/workspace/channel/reader.ts";
import { connectAsync } from "mqtt";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { makeCertificate, type Certificate } from "../../support/certificate.ts";
import { eventually } from "../../support/eventually.ts";
import { startMosquittoServer, type MosquittoServer } from "../../support/mosquitto-server.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function startBroker({ certificate, key }: Certificate): Promise<MosquittoServer> {
  const broker = await startMosquittoServer(async directory => {
    const files = { certfile: certificate, keyfile: key };
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text, { mode: 0o600 });
    const lines = Object.keys(files).map(name => `${name} ${join(directory, name)}`);
    return [...lines, "allow_anonymous true", "max_queued_messages 0"].join("\n");
  });
  ends.push(() => broker.close());
  return broker;
}

function read(url: string, ca?: string): { readonly reader: Reader; readonly delivered: Delivery[] } {
  const delivered: Delivery[] = [];
  const reader = openReader(
    {
      ...{ url, username: "", password: "", clientId: "skep-ws-acme", filters: ["acme/devices/#"] },
      ...{ receiveMaximum: 100, sessionExpirySeconds: 60, keepaliveSeconds: 10, ...(ca === undefined ? {} : { ca }) },
    },
    { delivered: one => delivered.push(one), changed: () => undefined },
    { clock: systemClock, random: systemRandom, mayRead: () => true },
  );
  ends.push(() => reader.close());
  return { reader, delivered };
}

const away = (reader: Reader, because: RegExp): Promise<void> =>
  eventually(() =>
    expect(reader.state()).toMatchObject({ kind: "away", because: expect.stringMatching(because) as string }),
  );

describe("a workspace's channel over TLS", () => {
  it.each(["127.0.0.1", "localhost"])("reads from a broker at %s whose certificate it trusts", async host => {
    const own = makeCertificate();
    const broker = await startBroker(own);
    const { reader, delivered } = read(`mqtts://${host}:${broker.port}`, own.certificate);
    await eventually(() => expect(reader.state()).toEqual({ kind: "connected" }));
    const device = await connectAsync(`mqtts://localhost:${broker.port}`, { ca: own.certificate });
    await device.publishAsync("acme/devices/d1/telemetry/count", "1", { qos: 1 });
    await device.endAsync();
    await eventually(() => expect(delivered.map(one => one.topic)).toEqual(["acme/devices/d1/telemetry/count"]));
  });

  it("publishes commands by it, and to no broker that it does not trust (R30)", async () => {
    const own = makeCertificate();
    const broker = await startBroker(own);
    const url = `mqtts://127.0.0.1:${broker.port}`;
    const { reader, delivered } = read(url, own.certificate);
    await eventually(() => expect(reader.state()).toEqual({ kind: "connected" }));
    const as = { url, username: "", password: "" };
    const [trusting, other] = [
      openPublisher({ ...as, clientId: "skep-publisher-1", ca: own.certificate }),
      openPublisher({ ...as, clientId: "skep-publisher-2", ca: makeCertificate().certificate }),
    ];
    for (const one of [trusting, other]) ends.push(() => one.close());
    await eventually(() =>
      expect([trusting.isConnected(), other.lastError()]).toEqual([true, expect.stringMatching(/certificate/)]),
    );
    await trusting.publish("acme/devices/d1/commands/cool", Buffer.from("now"));
    await eventually(() => expect(delivered.map(({ payload }) => String(payload))).toEqual(["now"]));
    await expect(other.publish("acme/devices/d1/commands/cool", Buffer.from("no"))).rejects.toThrow(
      "The broker takes no",
    );
    expect(broker.output()).not.toContain("skep-publisher-2");
  });

  it("says that it does not trust a broker, and tells it nothing", async () => {
    const broker = await startBroker(makeCertificate());
    const url = `mqtts://127.0.0.1:${broker.port}`;
    await away(read(url).reader, /: unreachable: the certificate of the broker is not trusted: DEPTH_ZERO_SELF_SIGNED/);
    const { certificate } = makeCertificate();
    await away(read(url, certificate).reader, /: unreachable: the certificate of the broker is not trusted: /);
    expect(broker.output()).not.toContain("skep-ws-acme");
  });

  it("does not trust a certificate of another name", async () => {
    const other = makeCertificate("broker.test");
    const broker = await startBroker(other);
    const { reader } = read(`mqtts://127.0.0.1:${broker.port}`, other.certificate);
    await away(reader, /not trusted: ERR_TLS_CERT_ALTNAME_INVALID/);
  });

  it("says that a broker speaks no TLS", async () => {
    const broker = await startMosquittoServer();
    ends.push(() => broker.close());
    await away(read(`mqtts://127.0.0.1:${broker.port}`).reader, /: unreachable: /);
  });
});
