import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccess } from "@skep/sdk/index.ts";
import { startCommandTest, type CommandTest, type Outcome } from "../testing/command.ts";

let test: CommandTest;
beforeAll(async () => (test = await startCommandTest()));
afterAll(() => test[Symbol.asyncDispose]());

function expectOk(outcome: Outcome): string {
  expect(outcome.err).toBe("");
  expect(outcome.code).toBe(0);
  return outcome.out;
}

const CONNECTOR = {
  id: "fleet",
  workspace: { type: "developer", icode: "DEV-9X00-233" },
  type: "IoT",
  name: "Fleet Management",
  access: { maintainers: ["ops@fleet.example"], ratelimit: { sockets: 10, events: 20 } },
  config: { protocol: "sio", resources: { type: "shared" } },
};

describe("skep workspace", () => {
  it("creates one from a file, lists it, shows it, changes it and drops it", async () => {
    test.write("connector.json", JSON.stringify(CONNECTOR));
    test.write("secret", "sk_live_0123456789\n");
    const made = expectOk(await test.skep("workspace create -f connector.json --secret-file secret"));
    expect(made).toMatch(/^WORKSPACE\s+TENANT\s+NAME\s+MODE\s+STATE\s+HOST\s+AGE\s+WAITS\n/);
    expect(made).toMatch(/fleet\s+default\s+Fleet Management\s+shared\s+waiting\s+-/);
    expect(made).not.toContain("sk_");
    expect(expectOk(await test.skep("workspace list"))).toMatch(/^fleet\s+default/m);
    const shown = expectOk(await test.skep("workspace show fleet"));
    expect(shown).toMatch(/^Purpose\s+small production$/m);
    expect(shown).toMatch(/^Health\s+unhealthy/m);
    expect(shown).toMatch(/^Access\s+10 sockets, 20 events a second each$/m);
    test.write("shown.json", JSON.stringify({ ...CONNECTOR, name: "Renamed" }));
    const changed = await test.skep("workspace update fleet -f shown.json --pool 20 --scale large --cheap");
    expect(expectOk(changed)).toMatch(/^Purpose\s+large production, cost$/m);
    expect(changed.out).toMatch(/^Name\s+Renamed$/m);
    expect(changed.out).toMatch(/^Database\s+Skep's, 1024 MB, 20 connections$/m);
    expect(expectOk(await test.skep("workspace update fleet --no-cheap"))).toMatch(/^Purpose\s+large production$/m);
    expect(expectOk(await test.skep("workspace update fleet --desired stopped"))).toMatch(/^State\s+stopped$/m);
    expect(expectOk(await test.skep("workspace show fleet"))).toMatch(/^Health\s+stopped$/m);
    expect(expectOk(await test.skep("workspace restart fleet"))).toBe("fleet: restarts\n");
    const dropped = expectOk(await test.skep("workspace drop fleet"));
    expect(dropped).toMatch(/^fleet: leaves.*\nIts database and its files stay, .*drop it with its data now as well/);
    expect(expectOk(await test.skep("workspace show fleet"))).toMatch(/^State\s+leaving$/m);
  });

  it("shows what is wrong with a pod, and what to do", async () => {
    expectOk(await test.skep("workspace create alone --mode standalone"));
    expect(expectOk(await test.skep("workspace show alone"))).not.toContain("Problem");
    await test.platform.store.savePodProblems(new Map([["alone", "no node takes its pod; add one"]]));
    expect(expectOk(await test.skep("workspace show alone"))).toMatch(/^Problem\s+no node takes its pod; add one$/m);
  });

  it("says what a move would do, begins it, says how far it is, and has it go back", async () => {
    expectOk(await test.skep("workspace create mover"));
    const tried = expectOk(await test.skep("workspace migrate mover --to standalone --dry-run"));
    expect(tried).toContain("a deployment of its own begins");
    expect(tried).toContain("commands that wait at the first broker");
    expect(tried).toContain("Nothing is changed yet");
    expect(expectOk(await test.skep("workspace show mover"))).not.toContain("Move");
    const refused = expectOk(await test.skep("workspace migrate mover --to shared --dry-run"));
    expect(refused).toContain("Workspace mover is shared already");
    expect((await test.skep("workspace migrate mover --to shared")).code).toBe(6);
    expect((await test.skep("workspace migrate mover")).err).toContain("The request says neither `to` nor `abort`");
    const begun = expectOk(await test.skep("workspace migrate mover --to standalone --detach"));
    expect(begun).toContain("mover: moves from shared to standalone: prepare (it moves from shared to standalone)");
    expect(begun).toContain("waits: its standalone host begins to stand by; see its deployment");
    expect(expectOk(await test.skep("workspace show mover"))).toMatch(
      /^Move\s+moves from shared to standalone: prepare/m,
    );
    expect(expectOk(await test.skep("workspace migrate mover --abort --detach"))).toContain("wants it back");
  });

  it("makes a secret where there is none and shows it once", async () => {
    const { secret } = JSON.parse(expectOk(await test.skep("workspace create plain -o json"))) as { secret: string };
    expect(secret).toMatch(/^sk_[\w-]{32}$/);
    expect(expectOk(await test.skep("workspace show plain -o json"))).not.toContain(secret);
    expect((await test.skep("workspace create other")).out).toContain("which nobody can show again: sk_");
  });

  it("refuses what policy refuses, by the name of the rule", async () => {
    const { code, err } = await test.skep("workspace create clinic --regulated");
    expect(code).toBe(6);
    expect(err).toContain("by the rule regulatory-compliance");
    expectOk(await test.skep("workspace create clinic --regulated --mode standalone"));
  });

  it.each([
    ["workspace create", "Name the workspace"],
    ["workspace create other -f connector.json", 'The file describes "fleet", and the command line names other'],
    ["workspace create -f nothing.json", "The file nothing.json cannot be read (ENOENT)"],
    ["workspace create -f broken.yaml", "broken.yaml is neither JSON nor YAML"],
    [
      "workspace create -f unknown.yaml",
      "unknown.yaml: colour: there is no such field; leave it out; known here: id, workspace, type, name, access, ",
    ],
    ["workspace create -f unknown.yaml", "; config.resources.specs.limit: there is no such field; leave it out; known"],
    ["workspace create -f broken.yaml", "at line 1, column 6.\n"],
    ["workspace create -f connector.json --secret-file empty", "The file empty has no secret in it"],
    ["workspace create fleet2 --mode both", "Allowed choices are shared, standalone"],
    ["workspace update plain --pool many", "Write a whole number from 0 to 1000"],
    ["workspace plan --devices=-1", "Write a whole number"],
    ["workspace create -f short.yaml", "connector.access.secret: it has 5 characters; use 10 to 512"],
  ])("refuses `%s`, and says what to do", async (line, told) => {
    test.write("connector.json", JSON.stringify(CONNECTOR));
    test.write("broken.yaml", "id: [");
    test.write("unknown.yaml", "id: a\ncolour: red\nconfig: { resources: { specs: { limit: 1 } } }\n");
    test.write("empty", "\n");
    test.write("short.yaml", JSON.stringify({ ...CONNECTOR, id: "short", access: { secret: "short" } }));
    const { code, err } = await test.skep(line);
    expect(err).toContain(told);
    expect(code).toBe(2);
  });

  it("is what the REST calls of the sdk are about", async () => {
    expectOk(await test.skep("workspace create rest"));
    const access = createAccess({ url: test.url });
    expect(await access.request({ url: "/containers/rest/status" })).toMatchObject({ state: "WAITING" });
    const body = { enabled: true, triggers: { cpuUsage: 60 } };
    const query = { workspace_id: "rest" };
    await access.request({ url: "/workspace/config/auto-scaling", method: "PATCH", body, query });
    expect(expectOk(await test.skep("workspace show rest"))).toMatch(/^Scaling\s+above 60 % cpu, 70 % memory/m);
    const wrong = access.request({
      url: "/containers/rest/resources",
      method: "PATCH",
      body: { ratelimits: { x: 1 } },
    });
    await expect(wrong).rejects.toMatchObject({ code: "invalid_argument" });
    await expect(access.request({ url: "/containers/none/metrics" })).rejects.toMatchObject({ code: "not_found" });
  });

  it("registers webhooks, whose secret is shown once", async () => {
    expectOk(await test.skep("workspace create hooks"));
    const added = expectOk(await test.skep("workspace webhook add hooks ops https://hooks.example.com/path"));
    expect(added).toMatch(/ops\s+https:\/\/hooks.example.com\s+yes/);
    expect(added).toMatch(/It is signed by whsec_\S{32}, which is shown now/);
    test.write("url", "https://chat.example.com/T0/B0/token\n");
    expectOk(await test.skep("workspace webhook add hooks chat --url-file url --unsigned"));
    const listed = expectOk(await test.skep("workspace webhook list hooks"));
    expect(listed).toMatch(/chat\s+https:\/\/chat.example.com\s+no/);
    expect(listed).not.toMatch(/whsec|token/);
    expectOk(await test.skep("workspace webhook rm hooks ops"));
    expect(expectOk(await test.skep("workspace webhook list hooks"))).not.toContain("ops");
    for (const [line, sentence] of [
      ["workspace webhook add hooks ops", "Name the address"],
      ["workspace webhook add hooks ops https://x.example --url-file url", "Name the address"],
      ["workspace webhook add hooks ops https://x.example --unsigned --secret-file url", "not both"],
      ["workspace webhook rm hooks ops", "has no webhook ops"],
    ] as const)
      expect((await test.skep(line)).err).toContain(sentence);
  });

  it("says when a workspace gets more room, and what it would get now", async () => {
    expectOk(await test.skep("workspace create grows"));
    expect(expectOk(await test.skep("workspace scaling grows"))).toMatch(
      /^Policy\s+off\nNow\s+1 instance: auto-scaling is off\nRecorded\s+no$/m,
    );
    const line = "workspace scaling grows --enable --cpu 50 --messages 2000 --cooldown 60 --most 3";
    expect(expectOk(await test.skep(`${line} --dry-run`))).toMatch(/Recorded\s+no$/m);
    expect(expectOk(await test.skep("workspace show grows"))).toMatch(/^Scaling\s+off; 1 at present$/m);
    const set = expectOk(await test.skep(line));
    expect(set).toMatch(/above 50 % cpu, 70 % memory, 400 connections or 2000 messages a second, each 60 s, up to 3$/m);
    expect(set).toMatch(/^Now\s+1 instance: not every instance has reported its load yet\nRecorded\s+yes$/m);
    expect(expectOk(await test.skep("workspace metrics grows"))).toContain("no numbers are kept");
    expect(expectOk(await test.skep("workspace scaling grows --disable"))).toMatch(/^Policy\s+off$/m);
  });

  it("plans: the rule that decides, the sizes, and both tables", async () => {
    const plan = expectOk(
      await test.skep("workspace plan --devices 30000 --messages 2048000 --connections 8000 --scale large"),
    );
    expect(plan).toMatch(
      /^Mode\s+standalone, by the rule large-production: a large workload scales better by itself$/m,
    );
    expect(plan).toMatch(/^Database\s+2167 MB\nMemory\s+4128 MB\nBroker\s+30 connections\nMachine\s+small$/m);
    expect(plan.match(/^\*\s+large-production\s+standalone/m)).not.toBeNull();
    expect(plan).toMatch(/regulatory-compliance\s+standalone, always/);
    expect(plan).toMatch(/^\*\s+small\s+4\s+8 GB\s+100 GB\s+1 Gbps$/m);
    expect(plan).toMatch(/large\s+16\s+32 GB\s+500 GB\s+10 Gbps/);
    const huge = expectOk(await test.skep("workspace plan --messages 900000000"));
    expect(huge).toMatch(/^Machine\s+more than large: divide it/m);
  });
});
