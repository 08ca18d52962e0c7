import { createServer, type Server } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LABEL } from "../engine/labels.ts";
import { createDockerEnder } from "./docker-ender.ts";

/** An engine that answers what a test says. */
const engine = { labels: {} as Record<string, string>, running: true, stops: true, kills: true };
const asked: string[] = [];
let dir: string;
let server: Server;
const socket = (): string => join(dir, "docker.sock");

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "skep-ender-"));
  server = createServer((request, response) => {
    const verb = /\/(json|stop|kill)/.exec(request.url ?? "")?.[1] ?? "";
    asked.push(verb);
    const does = verb === "stop" ? engine.stops : engine.kills;
    if (verb !== "json" && does) engine.running = false;
    response.statusCode = verb === "json" || does ? 200 : 500;
    response.end(JSON.stringify({ Config: { Labels: engine.labels }, State: { Running: engine.running } }));
  });
  await new Promise<void>(resolve => server.listen(socket(), resolve));
});
afterAll(async () => {
  server.close();
  await rm(dir, { recursive: true });
});
beforeEach(() => {
  Object.assign(engine, { labels: { [LABEL.instance]: "acme.web.1" }, running: true, stops: true, kills: true });
  asked.length = 0;
});

describe("an engine that is asked to end a container", () => {
  test("is asked for a kill where it does not stop it", async () => {
    engine.stops = false;
    expect(await createDockerEnder(socket()).end("c")).toBe(true);
    expect(engine.running).toBe(false);
  });

  test("that does neither is named with what it said", async () => {
    Object.assign(engine, { stops: false, kills: false });
    await expect(createDockerEnder(socket()).end("c")).rejects.toThrow("POST /containers/c/stop?t=1 with 500");
  });

  test("is asked for nothing where the container is not ours, or has ended", async () => {
    engine.labels = {};
    await expect(createDockerEnder(socket()).end("c")).rejects.toThrow("is not ours");
    Object.assign(engine, { labels: { [LABEL.instance]: "acme.web.1" }, running: false });
    expect(await createDockerEnder(socket()).end("c")).toBe(false);
    expect(asked).toEqual(["json", "json"]);
  });
});
