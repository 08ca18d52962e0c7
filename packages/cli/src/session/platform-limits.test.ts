import { expect, it } from "vitest";
import { runCommand, startCommandTest } from "../testing/command.ts";

const LIMITS = { cpuMillis: 250, memoryBytes: 64 * 2 ** 20, pids: 32 };

it("gives containers that say nothing what the operator set, and says it with its values", async () => {
  await using test = await startCommandTest({ defaultLimits: LIMITS });
  test.write("compose.yaml", "services:\n  web: { image: a }\n  big: { image: a, mem_reservation: 1g }\n");
  const { code, err } = await test.skep("deploy --no-wait");
  expect(code).toBe(0);
  expect(err).toContain("64 MiB of memory (web), 0.25 cores (web, big), 32 processes (web, big)");
  const { items } = await test.platform.store.listDeployments({}, { size: 10, token: undefined });
  const limits = Object.fromEntries(
    items.map(({ deployment, release }) => [deployment.name, release.spec.containers[0]?.resources]),
  );
  expect(limits).toMatchObject({ "app-web": LIMITS, "app-big": { ...LIMITS, memoryBytes: 2 ** 30 } });
});

it("tells the faults of a file at once though the platform is away, and reads its input once", async () => {
  const env = { SKEP_URL: "http://127.0.0.1:1" };
  const faulty = "services: { web: { image: a, privileged: true } }\n";
  expect(await runCommand("deploy -f -", { env, readInput: () => faulty })).toMatchObject({
    code: 2,
    err: expect.stringContaining("standard input:1:30"),
  });
  await using test = await startCommandTest();
  const texts = ["services: { web: { image: a } }\n"];
  const { code } = await test.skep("deploy -f - --no-wait", { readInput: () => texts.pop() ?? "" });
  expect(code).toBe(0);
});
