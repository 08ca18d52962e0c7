import { expect, onTestFinished, test, vi } from "vitest";
import { createHealthHandler, runChecks, watchReadiness } from "./health.ts";
import { listenHttp1 } from "./http-listener.ts";

test("the pages tell whether the service lives and whether it is ready", async () => {
  let database: string | undefined = "the database is away";
  const ready = watchReadiness({ database: () => database }, { periodMs: 5 });
  onTestFinished(() => ready.close());
  const answers = createHealthHandler({ ready });
  const listener = await listenHttp1({ port: 0, host: "127.0.0.1" }, (request, response) => {
    if (!answers(request, response)) response.writeHead(404).end();
  });
  onTestFinished(() => listener.close(0));
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${listener.port}${path}`);
    return { status: response.status, body: await response.text() };
  };
  expect((await ask("/livez")).status).toBe(200);
  const refused = await vi.waitFor(async () => {
    const answer = await ask("/readyz");
    expect(answer.body).not.toContain("not checked yet");
    return answer;
  });
  expect(refused.status).toBe(503);
  expect(JSON.parse(refused.body)).toEqual({ ok: false, checks: { database: "the database is away" } });
  database = undefined;
  await vi.waitFor(async () => expect((await ask("/readyz")).status).toBe(200));
  expect((await ask("/metrics")).status).toBe(404);
});

test("readiness is not there before the first round, and no question starts a round", async () => {
  let rounds = 0;
  const ready = watchReadiness({ store: () => void rounds++ }, { periodMs: 60_000 });
  onTestFinished(() => ready.close());
  expect(ready.isReady()).toBe(false);
  await vi.waitFor(() => expect(ready.isReady()).toBe(true));
  for (let asked = 0; asked < 100; asked++) ready.results();
  expect(rounds).toBe(1);
});

test("a check that hangs or throws fails with its reason, and does not hold up the others", async () => {
  const failures = await runChecks(
    {
      well: () => undefined,
      hangs: () => new Promise(() => undefined),
      throws: () => Promise.reject(new Error("broken")),
    },
    20,
  );
  expect(Object.fromEntries(failures)).toEqual({ hangs: "no answer within 20 ms", throws: "broken" });
});
