import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TOKEN, runCommand, startCommandTest } from "../testing/command.ts";
import type { CommandTest, Outcome } from "../testing/command.ts";

const WEB = `
services:
  web:
    image: nginx:\${TAG:-1.26}
    deploy: { replicas: 2 }
    labels:
      traefik.enable: "true"
      traefik.http.routers.web.rule: Host(\`web.example\`)
      traefik.http.services.web.loadbalancer.server.port: "80"
`;

function expectOk(outcome: Outcome): string {
  // Files without limits are told of the platform's.
  expect(outcome.err.replace(/^.*the platform's hold: .*\n/gm, "")).toBe("");
  expect(outcome.code).toBe(0);
  return outcome.out;
}

describe("deploy", () => {
  let test: CommandTest;
  beforeAll(async () => (test = await startCommandTest()));
  afterAll(() => test[Symbol.asyncDispose]());

  it("creates, waits until all is well, then finds nothing to do, then updates and scales what differs", async () => {
    test.write("compose.yaml", WEB);
    const created = expectOk(await test.skep("deploy"));
    expect(created).toContain("default.app-web  created\n");
    expect(created.trimEnd().split("\n").at(-1)).toBe("ok default.app-web  2 of 2 healthy");
    expect(expectOk(await test.skep("deploy -f compose.yaml"))).toContain("default.app-web  unchanged\n");
    test.write(".env", "TAG=1.27\n");
    expect(expectOk(await test.skep("deploy"))).toContain("default.app-web  updated  image nginx:1.26 → nginx:1.27\n");
    test.write("compose.yaml", WEB.replace("replicas: 2", "replicas: 3"));
    expect(expectOk(await test.skep("deploy"))).toContain("default.app-web  scaled  replicas 2 → 3\n");
    expectOk(await test.skep("stop app-web"));
    expect(expectOk(await test.skep("deploy"))).toContain("default.app-web  started\n");
  });

  it("tells programs what became of each", async () => {
    const { out } = await test.skep("deploy -o json");
    const { deployments } = JSON.parse(out) as { deployments: Record<string, unknown>[] };
    expect(deployments).toMatchObject([
      { id: "default.app-web", change: "unchanged", changedPaths: [], deployment: { status: { converged: true } } },
    ]);
  });

  it("names every reason to refuse a file, with its place, and changes nothing", async () => {
    test.write("bad.yaml", "services:\n  bad:\n    image: a\n    privileged: true\n    pid: host\n");
    const { code, err } = await test.skep("deploy -f bad.yaml");
    expect(code).toBe(2);
    expect(err).toContain("bad.yaml:4:5: services.bad.privileged: ");
    expect(err).toContain("bad.yaml:5:5: services.bad.pid: ");
    expect((await test.skep("describe app-bad")).code).toBe(5);
  });

  it("says after its time what is missing, in the engine's words", async () => {
    test.platform.setOutcome(() => ({ state: "preparing", health: "none", message: "manifest unknown" }));
    test.write("slow.yaml", "services:\n  slow:\n    image: nope\n");
    const { code, err } = await test.skep("deploy -f slow.yaml --timeout 1s");
    expect(code).toBe(9);
    expect(err).toContain("After 1 s one deployment is not as wanted");
    expect(err).toMatch(/default\.app-slow\.1: it is preparing on node n\d: manifest unknown/);
    test.platform.setOutcome(() => ({}));
  });

  it("says why no node fits", async () => {
    test.write(
      "nowhere.yaml",
      "services:\n  nowhere:\n    image: a\n    deploy: { placement: { constraints: ['node.labels.gpu == true'] } }\n",
    );
    const { code, err } = await test.skep("deploy -f nowhere.yaml --timeout 1s");
    expect(code).toBe(9);
    expect(err).toContain("it fits on no node");
  });

  it("does not wait where it is told so", async () => {
    test.write("later.yaml", "services:\n  later:\n    image: a\n");
    expect(expectOk(await test.skep("deploy -f later.yaml -p later --no-wait"))).toBe("default.later-later  created\n");
  });

  it("rewrites its lines on a terminal", async () => {
    const { out } = await test.skep("restart app-web", { isTty: true, env: { SKEP_URL: test.url, NO_COLOR: "1" } });
    expect(out).toContain("\u001B[1A\r\u001B[J");
    expect(out.endsWith("ok default.app-web  3 of 3 healthy\n")).toBe(true);
  });
});

describe("the commands that show", () => {
  let test: CommandTest;
  beforeAll(async () => {
    test = await startCommandTest();
    test.write("compose.yaml", WEB);
    expectOk(await test.skep("deploy"));
  });
  afterAll(() => test[Symbol.asyncDispose]());

  it.each([
    [
      "apps",
      /^NAME +HEALTHY +STATE +RELEASE +AGE +IMAGES +DOMAINS\napp-web +2\/2 +running +1 +\d+s +nginx:1\.26 +web\.example\n$/,
    ],
    ["apps -A", /^NAME.*\napp-web /],
    [
      "ps",
      /^INSTANCE +NODE +STATE +HEALTH +CONTAINERS +PORTS +AGE +MESSAGE\napp-web\.1 +n\d +running +healthy +default\.app- +10\.0\.0\.\d:\d+->80 /,
    ],
    ["ps app-web --node n2", /\napp-web\.\d +n2 +running/],
    ["describe app-web", /^Deployment +default\.app-web\nState +running\nInstances +2 healthy, 2 running, 2 wanted\n/],
    ["describe app-web", /\nProject +app, as its service web\n/],
    [
      "routes",
      /^DOMAIN +PATH +KIND +DEPLOYMENT +PORT +SERVERS\nweb\.example +\/ +http +app-web +80 +10\.0\.0\.\d:\d+ 10\.0\.0\.\d:\d+\n$/,
    ],
    ["explain app-web", /^app-web\.1: node n\d.*\n +NODE +RANK +FILTER +BECAUSE\n/],
    ["preview", /^app-web\ncopy 1: node n\d/],
    [
      "nodes",
      /^NODE +LIVENESS +AVAILABILITY .*\nn1 +ready +active +manager +0 +25% of 4 +50% of 8 GiB +10\.0\.0\.1\nn2 .* compute=true\n$/,
    ],
    [
      "status",
      /Leader +test \(term 1\)\nSchedulers +scheduler-1 0\.1\.0, leads\n +scheduler-0 0\.1\.0, silent for 40s\nNodes +2 ready\n/,
    ],
    ["status", /\nInstances +2 running\nDeployments +1 of 1 tenant\n/],
    ["tenant list", /^TENANT +INSTANCES +CPUS +MEMORY\ndefault +- +- +-\n$/],
  ])("`skep %s` prints a table", async (line, pattern) => {
    expect(expectOk(await test.skep(line))).toMatch(pattern);
  });

  it.each([
    ["apps", "id", 1],
    ["ps", "nodeId", 2],
    ["routes", "domain", 1],
    ["nodes", "hostname", 2],
    ["tenant list", "quota", 1],
    ["preview", "placements", 1],
  ])("`skep %s -o json` is a list for programs", async (line, field, length) => {
    const found = JSON.parse(expectOk(await test.skep(`${line} -o json`))) as unknown[];
    expect(found).toHaveLength(length);
    expect(found[0]).toHaveProperty(field);
  });

  it.each([
    ["explain app-web", "placements"],
    ["describe app-web", "instances"],
    ["status", "replica"],
  ])("`skep %s -o json` is one object for programs", async (line, field) => {
    expect(JSON.parse(expectOk(await test.skep(`${line} -o json`)))).toHaveProperty(field);
  });

  it("shows how often a container was started again while nothing else is to be said", async () => {
    await using other = await startCommandTest();
    other.write("compose.yaml", WEB);
    const status = { id: "c1", imageId: "sha256:1", running: true, exitCode: undefined };
    other.platform.setOutcome(() => ({ containers: [{ ...status, name: "web", restarts: 3 }] }));
    expectOk(await other.skep("deploy"));
    expect(expectOk(await other.skep("ps"))).toMatch(/ web was started again 3 times\n/);
  });

  it("says where there is nothing yet, and where a name is wrong", async () => {
    await test.skep("tenant create idle");
    expect((await test.skep("apps -t idle")).err).toContain("has no deployments");
    for (const line of ["apps -t nobody", "events nope"]) expect((await test.skep(line)).code).toBe(5);
    expect((await test.skep("events -t idle")).err).toContain("Nothing of that kind happened");
    const { code, err } = await test.skep("ps nope");
    expect(code).toBe(5);
    expect(err).toContain("There is no deployment default.nope");
  });

  it("shows what containers printed, and on which instance", async () => {
    for (const node of ["node1", "node2"])
      test.platform.answer(node, ask => {
        if (ask.kind !== "logs") return [];
        const { streamId, instanceId } = ask;
        const line = { instanceId, container: "web", stream: "stdout", at: 5, text: `hello of ${node}` } as const;
        return [{ kind: "logs", streamId, seq: 0, lines: [line], end: true, dropped: 0 }];
      });
    const out = expectOk(await test.skep("logs app-web"));
    expect(out).toContain("app-web.1 web | hello of node");
    expect(out).toContain("app-web.2 web | hello of node");
    expect(expectOk(await test.skep("logs app-web.2 -n 5")).split("\n")).toHaveLength(2);
  });

  it("shows events", async () => {
    const event = { kind: "place", instanceId: undefined, nodeId: "node1", epoch: undefined };
    const at = Date.now();
    await test.platform.store.saveDecisions([
      { ...event, at, tenantId: "default", deploymentId: "default.app-web", sentence: "web.1 was placed on n1" },
    ]);
    expect(expectOk(await test.skep("events app-web --since 1h"))).toMatch(
      /place +default\.app-web +web\.1 was placed on n1\n$/,
    );
    expect(JSON.parse(expectOk(await test.skep("events -A -o json")))).toMatchObject({ kind: "place" });
  });

  it("ends a stream by Ctrl-C as shells expect", async () => {
    const aborter = new AbortController();
    setTimeout(() => aborter.abort(), 300);
    expect((await test.skep("events -f", { signal: aborter.signal })).code).toBe(130);
  });
});

describe("the commands that change", () => {
  let test: CommandTest;
  beforeAll(async () => {
    test = await startCommandTest();
    test.write("compose.yaml", WEB);
    expectOk(await test.skep("deploy"));
  });
  afterAll(() => test[Symbol.asyncDispose]());

  it("scales, restarts, stops, starts and removes", async () => {
    expect(expectOk(await test.skep("scale app-web=3"))).toMatch(
      /^default\.app-web: 3 wanted\n[^]*ok default\.app-web {2}3 of 3 healthy\n$/,
    );
    expect(expectOk(await test.skep("restart app-web"))).toContain("default.app-web: restarts as release 2\n");
    expect(expectOk(await test.skep("stop app-web"))).toContain("ok default.app-web  stopped\n");
    expect(expectOk(await test.skep("start app-web"))).toContain("3 of 3 healthy");
    expect(expectOk(await test.skep("rm app-web"))).toBe("default.app-web: is removed\n");
    expect((await test.skep("describe app-web")).code).toBe(5);
  });

  it("creates, limits and removes tenants, and keeps to the limits", async () => {
    expect(expectOk(await test.skep("tenant create acme --instances 1 --cpus 1.5 --memory 2G"))).toContain(
      "acme            1   1.5   2 GiB",
    );
    test.write("compose.yaml", WEB.replace("web.example", "acme.example"));
    const { code, err } = await test.skep("deploy -t acme");
    expect(code).toBe(8);
    expect(err).toContain("Tenant acme would hold 2 of at most 1 instances");
    expectOk(await test.skep("tenant quota acme"));
    expectOk(await test.skep("deploy -t acme --no-wait"));
    expect((await test.skep("tenant rm acme")).code).toBe(6);
    expect((await test.skep("tenant create acme")).code).toBe(6);
    expect((await test.skep("tenant create b --memory lots")).code).toBe(2);
  });

  it("changes nodes through a manager", async () => {
    const { code, err } = await test.skep("drain n2");
    expect(code).toBe(9);
    expect(err).toContain("No agent on a manager could be asked");
    test.platform.answer("node1", ask => {
      if (ask.kind !== "node") return [];
      const labels: Record<string, string> = ask.change.action === "label" ? { ...ask.change.set } : {};
      const node = { nodeId: "node2", hostname: "n2", role: "worker", availability: "active", state: "ready" } as const;
      return [{ kind: "node", node: { ...node, address: "", labels, versionIndex: 2 } }];
    });
    expect(expectOk(await test.skep("drain n2"))).toBe("n2: drains: its instances move elsewhere\n");
    expect(expectOk(await test.skep("pause n2"))).toContain("n2: paused");
    expect(expectOk(await test.skep("activate n2"))).toContain("n2: active");
    expect(expectOk(await test.skep("label n2 zone=a gone-"))).toBe("n2: zone=a\n");
    expect((await test.skep("label n2 zone")).code).toBe(2);
    expect((await test.skep("drain n9")).code).toBe(5);
    const refused = await test.skep("drain n1");
    expect(refused.code).toBe(6);
    expect(refused.err).toContain("the only manager");
    expect((await test.skep("drain n1 --force")).code).toBe(0);
  });
});

describe("volumes", () => {
  it("are listed with what uses them, and removed when nothing does", async () => {
    await using test = await startCommandTest();
    const db = "services:\n  db:\n    image: postgres:16\n    volumes: ['data:/data']\nvolumes: { data: }\n";
    test.write("compose.yaml", db);
    expectOk(await test.skep("deploy"));
    expect(expectOk(await test.skep("volume list"))).toMatch(/^app\/data +n[12] +\d+ +kept +app-db\.1 /m);
    expect(expectOk(await test.skep("volume show app/data"))).toContain("app/data");
    test.platform.answer("node1", () => {
      const node = { nodeId: "node2", hostname: "n2", role: "worker", availability: "drain", state: "ready" } as const;
      return [{ kind: "node", node: { ...node, address: "", labels: {}, versionIndex: 2 } }];
    });
    const home = /app\/data +(n[12])/.exec(await test.skep("volume list").then(expectOk))?.[1] ?? "";
    expect(expectOk(await test.skep(`drain ${home} --force`))).toContain(
      "1 instance stays, since its volume data is here: app-db.1",
    );
    const refused = await test.skep("volume rm app/data");
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain("Stop or remove default.app-db first");
    expect((await test.skep("volume rm /data")).code).toBe(2);
    expectOk(await test.skep("rm app-db"));
    expect(expectOk(await test.skep("volume list"))).toContain("nobody: no deployment mounts it");
    expect(expectOk(await test.skep("volume rm app/data"))).toBe("app/data: its data is removed\n");
    expect(expectOk(await test.skep("volume list"))).toContain("removing");
  });

  it("are called by their project or by name alone, and as refusals call them", async () => {
    await using test = await startCommandTest();
    const file =
      "services: { db: { image: db, volumes: ['data:/data', 'all:/all'] } }\nvolumes: { data: , all: { name: shared } }\n";
    test.write("compose.yaml", file);
    expectOk(await test.skep("deploy"));
    expect(expectOk(await test.skep("volume ls"))).toMatch(/^app\/data .*\nshared .*$|^shared .*\napp\/data .*$/m);
    for (const called of ["shared", "default/shared"])
      expect(expectOk(await test.skep(`volume show ${called}`))).toMatch(/\nshared /);
    for (const called of ["app/data", "default/app/data"])
      expect(expectOk(await test.skep(`volume show ${called}`))).toMatch(/\napp\/data /);
    expect(await test.skep("volume show app/shared")).toMatchObject({ code: 5 });
  });
});

describe("tokens", () => {
  it("come from a file, never from the command line, and never show", async () => {
    await using test = await startCommandTest({ auth: true });
    const refused = await test.skep("status");
    expect(refused.code).toBe(4);
    expect(refused.err).toContain(`${test.url} wants a token: name its file in SKEP_TOKEN_FILE`);
    const wrong = await test.skep("status", { env: { SKEP_URL: test.url, SKEP_TOKEN: "other" } });
    expect(wrong).toMatchObject({ code: 4, err: expect.stringContaining("does not know this token") });
    const torn = await test.skep("status", { env: { SKEP_URL: test.url, SKEP_TOKEN: "two\nlines" } });
    expect(torn).toMatchObject({ code: 2, err: expect.stringContaining("SKEP_TOKEN holds no token") });
    test.write("token", TOKEN);
    const env = { SKEP_URL: test.url, SKEP_TOKEN_FILE: `${test.folder}/token`, HOME: test.folder };
    expect((await test.skep("status", { env })).code).toBe(0);
    const given = { SKEP_URL: test.url, SKEP_TOKEN: TOKEN, HOME: test.folder };
    expect((await test.skep("status", { env: given })).code).toBe(0);
    const login = await test.skep(`login ${test.url} --name prod --token-stdin`, {
      env: { HOME: test.folder },
      readInput: () => `${TOKEN}\n`,
    });
    expect(login).toMatchObject({ code: 0, err: "" });
    expect(login.out).not.toContain(TOKEN);
    expect((await test.skep("status", { env: { HOME: test.folder } })).code).toBe(0);
    expect((await test.skep("context list", { env: { HOME: test.folder } })).out).toMatch(/\* +prod +http/);
    expect((await test.skep("status --context nope", { env: { HOME: test.folder } })).code).toBe(5);
  });
});

describe("what a spec or an engine says", () => {
  it("reaches a terminal without its control characters, and a program unchanged", async () => {
    await using test = await startCommandTest();
    const evil = "up\u001B[2A\u009B2Jand\rover\u202E";
    test.platform.setOutcome(() => ({ state: "preparing", health: "none", message: evil }));
    test.write("compose.yaml", `services:\n  web:\n    image: a\n    command: ["\\e]0;title\\a"]\n`);
    await test.skep("deploy --timeout 1s");
    const isTty = { isTty: true };
    for (const line of ["ps", "describe app-web", "apps", "deploy --timeout 1s", "events", "preview"]) {
      const { out, err } = await test.skep(line, isTty);
      // oxlint-disable-next-line no-control-regex
      const left = (out + err).replaceAll(/\u001B\[(3[1-3]|39|1|2|22)m|\u001B\[\d+A\r\u001B\[J|\r\u001B\[J/g, "");
      // oxlint-disable-next-line no-control-regex
      expect([line, left.match(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202E]/g)]).toEqual([line, null]);
    }
    expect((await test.skep("ps")).out).toContain("up\\u001b[2A\\u009b2Jand\\u000dover\\u202e");
    expect((await test.skep("describe app-web")).out).toContain("\\u001b]0;title\\u0007");
    const [instance] = JSON.parse((await test.skep("ps -o json")).out) as { message: string }[];
    expect(instance?.message).toContain(evil);
  });
});

describe("without a platform", () => {
  it("reads no more of a file than any Compose file needs, though it never ends", async () => {
    const { code, err } = await runCommand("preview -f /dev/zero", { env: { SKEP_URL: "http://127.0.0.1:1" } });
    expect([code, err]).toEqual([2, expect.stringContaining("/dev/zero cannot be read (it is too large")]);
  });

  it("goes on with the next of several servers, and names all of them where none answers", async () => {
    await using test = await startCommandTest();
    const dead = ["http://127.0.0.1:1", "http://127.0.0.1:2"];
    const ask = (...urls: string[]) => runCommand("status", { env: { SKEP_URL: urls.join(","), HOME: "/nowhere" } });
    expect(await ask(dead[0]!, test.url)).toMatchObject({ code: 0, err: "" });
    const { code, err } = await ask(...dead);
    expect(code).toBe(9);
    for (const url of dead) expect(err).toContain(url);
    expect((await ask(test.url, "ftp://127.0.0.1")).err).toContain("`ftp://127.0.0.1` is no address of a platform");
  });

  it("says at once that nobody answers, where, and what to do", async () => {
    const { code, err } = await runCommand("status", { env: { SKEP_URL: "http://127.0.0.1:1" } });
    expect(code).toBe(9);
    expect(err).toContain("http://127.0.0.1:1");
  });

  it.each(["nonsense", "ftp://host", "http://ann:hunter2@host"])("refuses the address %s", async url => {
    const { code, err } = await runCommand("status", { env: { SKEP_URL: url } });
    expect(code).toBe(2);
    expect(err).toContain("is no address of a platform");
    expect(err).not.toContain("hunter2");
  });

  it("tells programs in JSON", async () => {
    const { err } = await runCommand("status -o json", { env: { SKEP_URL: "http://127.0.0.1:1" } });
    expect(JSON.parse(err)).toMatchObject({ error: { code: "unavailable" } });
  });
});
