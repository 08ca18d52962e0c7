import { cp, mkdtemp, rm, appendFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { configVersion } from "./config-version.ts";

const STACK = join(import.meta.dirname, "../../stack");

it("is another one where any config file of the stack files that are used is another", async () => {
  const directory = await mkdtemp(join(tmpdir(), "skep-stack-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  await cp(STACK, directory, { recursive: true });
  const bare = (): Promise<string> => configVersion([join(directory, "skep.yml")]);
  const whole = (): Promise<string> => configVersion([join(directory, "skep.yml"), join(directory, "workspaces.yml")]);
  expect(await bare()).not.toBe(await whole());
  const ofBoth = ["nats.conf", "traefik.yml"];
  const ofWorkspaces = ["traefik-workspaces.yml", "mqtt-routes.yml", "mosquitto.conf", "mosquitto-access.conf"];
  for (const name of [...ofBoth, ...ofWorkspaces, "redis.conf"]) {
    const before = [await bare(), await whole()];
    await appendFile(join(directory, name), "# another content\n");
    const after = [await bare(), await whole()];
    expect([before[0] !== after[0], before[1] !== after[1]], name).toEqual([ofBoth.includes(name), true]);
  }
});
