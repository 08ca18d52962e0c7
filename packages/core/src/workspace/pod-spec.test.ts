import { describe, expect, it } from "vitest";
import { validateSpec } from "../model/validate.ts";
import { isLeased, isSingle } from "../model/volume.ts";
import { aConnector } from "../testing/connector.ts";
import type { Connector } from "./connector.ts";
import { podId, refusePod, workspaceOfPod } from "./pod.ts";
import { podSpec, withoutSecrets } from "./pod-spec.ts";

const SETTINGS = {
  ...{ apiUrl: "http://10.0.0.1:7700", databaseHosts: ["mongo.internal", ".inside"] },
  webhookHosts: ["hooks.internal"],
  images: { workspace: "workspace:1", mosquitto: "mosquitto:2", mongo: "mongo:6", versitygw: "versitygw:1" },
};
const SECRETS = {
  host: "secret-of-host",
  broker: "secret-of-broker",
  passwords: "gate:$7$1$s$d\nhost:$7$1$s$e\n",
  files: "secret-of-files",
};
const specFor = (connector: Connector) => podSpec(connector, SETTINGS, SECRETS);
const alone = (over: { readonly url?: string; readonly size?: number; readonly sockets?: number } = {}) => {
  const { url, size = 1024, sockets = 500 } = over;
  const ratelimits = { sockets, events: 100, channels: 50 };
  return aConnector({ id: "fleet" }, { ratelimits }, { database: { url, size }, ratelimits }, "standalone");
};
const part = (name: string, connector = alone()) => specFor(connector).containers.find(one => one.name === name)!;

describe("the pod of a standalone workspace", () => {
  it("is a good spec but for its name, which no tenant can give", () => {
    expect(validateSpec(specFor(alone())).map(one => one.path)).toEqual(["name"]);
    expect(podId("acme", "fleet")).toBe(`acme.${specFor(alone()).name}`);
  });

  it("is in a network that nothing else of its tenant is in by itself", () => {
    expect(specFor(alone()).networks).toEqual([{ name: "ws_fleet", aliases: [], isInternal: false }]);
  });

  it("is a host, a broker, files and a database, of which a tenant with his own has none", () => {
    expect(specFor(alone()).containers.map(one => one.name)).toEqual(["host", "mosquitto", "versitygw", "mongod"]);
    const own = specFor(alone({ url: "mongodb://custom:27017/tenant" }));
    expect(own.containers.map(one => one.name)).toEqual(["host", "mosquitto", "versitygw"]);
    expect(own.containers[0]?.env).not.toHaveProperty("SKEP_MONGODB_URL");
    expect(JSON.stringify(own)).not.toContain("custom");
    const files = { url: "https://s3.example.com", region: "eu-1", bucket: "files", accessKey: "k", secretKey: "word" };
    const elsewhere = specFor(aConnector({ id: "fleet" }, {}, { files }, "standalone"));
    expect(elsewhere.containers.map(one => one.name)).toEqual(["host", "mosquitto", "mongod"]);
    expect(Object.keys(elsewhere.containers[0]?.env ?? {}).filter(name => name.startsWith("SKEP_S3"))).toEqual([]);
    expect(JSON.stringify(elsewhere)).not.toContain("s3.example.com");
  });

  it("stays with its volumes and needs no scheduler to go on", () => {
    const spec = specFor(alone());
    expect(isSingle(spec)).toBe(true);
    expect(isLeased(spec)).toBe(false);
    expect(spec.update.order).toBe("stop-first");
    const volumes = spec.containers.flatMap(one => one.volumes.map(({ name, target }) => `${name} ${target}`));
    expect(volumes).toEqual(["broker /mosquitto/data", "files /data", "database /data/db"]);
  });

  it("has the sizes of the formulas: memory by connections, the database's by what it may grow to", () => {
    const megabytes = (name: string, connector: Connector) => part(name, connector).resources.memoryBytes / 1024 / 1024;
    expect(megabytes("host", alone())).toBe(128 + 250);
    expect(megabytes("host", alone({ sockets: 10_000 }))).toBe(128 + 5_000);
    expect(megabytes("mongod", alone())).toBe(512);
    expect(megabytes("mongod", alone({ size: 4_096 }))).toBe(1_280);
    expect(megabytes("mongod", alone({ size: 1_000_000 }))).toBe(4_096);
    expect(part("mongod", alone({ size: 4_096 })).command).toContain("--wiredTigerCacheSizeGB=0.5");
    expect(part("mongod").command).toContain("--wiredTigerCacheSizeGB=0.25");
  });

  it("shows a secret in no command and no label", () => {
    const spec = specFor(alone());
    const shown = JSON.stringify(spec.containers.map(one => ({ ...one, env: {} })));
    for (const secret of [SECRETS.host, SECRETS.broker, SECRETS.files, "$7$1$s$d"]) expect(shown).not.toContain(secret);
    expect(part("host").env).toMatchObject({ SKEP_HOST_SECRET: SECRETS.host, SKEP_MQTT_PASSWORD: SECRETS.broker });
    expect(part("mosquitto").env["PASSWORDS"]).toBe(SECRETS.passwords);
    expect(part("host").env["SKEP_S3_SECRET_KEY"]).toBe(SECRETS.files);
    expect(part("versitygw").env["ROOT_SECRET_KEY"]).toBe(SECRETS.files);
  });

  it("lets nobody into its database and its files from outside, and devices and sockets in by two ports", () => {
    const ports = specFor(alone()).containers.flatMap(one => one.ports.map(port => port.containerPort));
    expect(ports).toEqual([7_704, 1_883]);
    expect(part("mongod").command).toContain("--bind_ip=127.0.0.1");
    expect(part("versitygw").command).toContain("127.0.0.1:7070");
    expect(part("mosquitto").env["MOSQUITTO_CONF"]).toContain("listener 1883\nallow_anonymous false");
  });
});

describe("the host in a pod", () => {
  it("may lead to the same hosts inside as a shared one", () => {
    expect(part("host").env).toMatchObject({
      SKEP_ALLOWED_DATABASE_HOSTS: "mongo.internal,.inside",
      SKEP_ALLOWED_WEBHOOK_HOSTS: "hooks.internal",
    });
  });
});

describe("a pod", () => {
  it("is told from a tenant's own deployment by its id, and refuses to be changed with its workspace's name", () => {
    expect(workspaceOfPod(podId("acme", "fleet"))).toBe("fleet");
    expect(["acme.web", "acme.ws-fleet", "ws.web"].map(workspaceOfPod)).toEqual([undefined, undefined, undefined]);
    expect(() => refusePod("acme.web")).not.toThrow();
    expect(() => refusePod("acme.ws_fleet")).toThrow(/pod of workspace fleet, .*skep workspace show fleet/);
  });

  it("is shown without its secrets, and a tenant's own deployment as it is", () => {
    const spec = specFor(alone());
    const shown = JSON.stringify(withoutSecrets("acme.ws_fleet", spec));
    for (const secret of [SECRETS.host, SECRETS.broker, SECRETS.files, "$7$1$s$d"]) expect(shown).not.toContain(secret);
    expect(shown).toContain("http://10.0.0.1:7700");
    expect(withoutSecrets("acme.web", spec)).toBe(spec);
  });
});
