import { describe, expect, it } from "vitest";
import { compose, refusals } from "../testing/compose.ts";
import { parseEnvFile } from "./dotenv.ts";
import { formatIssue } from "./problems.ts";

function issues(text: string, env: Record<string, string> = {}): string[] {
  return refusals(text, { env });
}

/** Issues of a service whose line 4 (and on) is given; keys begin at column 5. */
function inService(...lines: string[]): string[] {
  return issues(["services:", "  web:", "    image: nginx", ...lines.map(line => `    ${line}`)].join("\n"));
}

describe("what a Compose file may not ask for", () => {
  it.each([
    ["privileged: true", "4:5", "a privileged container could take over its node"],
    ["cap_add: [NET_ADMIN]", "4:15", "`NET_ADMIN` would weaken the wall"],
    ["devices: ['/dev/kvm:/dev/kvm']", "4:5", "devices of the node"],
    ["security_opt: ['seccomp:unconfined']", "4:20", "the security option `seccomp:unconfined`"],
    ["sysctls: { kernel.shmmax: 1024 }", "4:16", "this kernel parameter cannot be set"],
    ["userns_mode: host", "4:5", "the user namespace"],
    ["pid: host", "4:5", "process space"],
    ["ipc: host", "4:5", "IPC space"],
    ["secrets: [token]", "4:5", "secrets cannot be handed"],
    ["network_mode: host", "4:19", "the host's own network"],
    ["network_mode: none", "4:19", "the network mode `none`"],
    ["network_mode: 'service:nobody'", "4:19", "no service is called `nobody`"],
    ["network_mode: 'service:web'", "4:19", "joins itself"],
    ["volumes: ['/etc:/etc']", "4:15", "`/etc` is a path of the node"],
    ["volumes: ['./data:/data']", "4:15", "`./data` is a path of the node"],
    ["volumes: ['/var/run/docker.sock:/var/run/docker.sock']", "4:15", "the Docker socket would hand over the node"],
    ["volumes: [{ type: bind, source: /srv, target: /srv }]", "4:15", "`/srv` is a path of the node"],
    ["volumes: ['data:/data']", "4:15", "the volume `data` is not declared"],
    ["volumes: ['/data']", "4:15", "has no name"],
    ["tmpfs: [/dev/shm]", "4:13", 'nothing can be mounted at "/dev/shm"'],
    ["ports: ['127.0.0.1:80:80']", "4:13", "the address `127.0.0.1`"],
    ["ports: ['80:8080:9']", "4:13", "the address `80`"],
    ["ports: ['80-82:80-81']", "4:13", "is no port"],
    ["ports: ['70000']", "4:13", "is no port"],
    ["ports: ['80/sctp']", "4:13", "the protocol `sctp`"],
    ["ports: [{ published: 80 }]", "4:13", "no `target`"],
    ["deploy: { replicas: many }", "4:25", "`many` is not a whole number"],
    ["deploy: { replicas: -1 }", "4:25", "`-1` is not a whole number from 0 to 10000. Write one"],
    ["deploy: { resources: { limits: { memory: lots } } }", "4:46", "not an amount of memory"],
    ["deploy: { resources: { limits: { cpus: 0 } } }", "4:44", "`0` asks for no limit"],
    ["deploy: { placement: { preferences: [{ spread: x }] } }", "4:28", "spread preferences"],
    ["healthcheck: { test: [curl, x] }", "4:26", "names no command"],
    ["healthcheck: { test: x, interval: 5 s }", "4:39", "not a duration"],
    ["x-skep: { strategy: fastest }", "4:25", "`fastest` is not known here"],
    ["scale: 2\n    x-skep: { exclusive: true }", "5:15", "exclusive means one copy at most"],
    ["x-skep: { probe: { http: { path: / } } }", "4:24", "no `port`"],
    ["restart: sometimes", "4:14", "is no restart policy"],
    ["read_only: perhaps", "4:16", "neither true nor false"],
    ["environment: { __proto__: x, A: b }", "4:31", "`__proto__` cannot be a key"],
    ["environment: ['__proto__=x']", "4:19", "`__proto__` cannot be a key"],
    ["labels: { __proto__: x }", "4:26", "`__proto__` cannot be a key"],
    ["command: echo 'open", "4:14", "a quote is opened"],
    ["env_file: missing.env", "4:15", "cannot be read"],
    ["deploy: { placement: { constraints: ['node.labels.x ~ y'] } }", "4:42", "node.labels.x ~ y"],
    ["labels: { traefik.http.routers.w.rule: 'Hots(`a`)' }\n    expose: [80]", "4:15", "Hots"],
    ["labels: ['traefik.http.routers.w.rule=Host(`a`']\n    expose: [80]", "4:14", "Host(`a`"],
    [
      "labels: { traefik.http.middlewares.m.basicauth.realm: x }\n    expose: [80]",
      "4:5",
      "services.web.labels.traefik.http.middlewares.m.basicauth.users: the middleware has no users",
    ],
    ["working_dir: relative", "4:5", "no absolute path"],
    ["deploy: { resources: { limits: { cpus: 1 }, reservations: { cpus: 2 } } }", "4:65", "reserved"],
  ])("refuses `%s` at %s", (line, place, words) => {
    const found = inService(line);
    expect(found[0]).toMatch(`c.yaml:${place}: `);
    expect(found[0]).toContain(words);
    // A problem, then a sentence that says what to do.
    expect(found[0]).toMatch(/\. [A-Z].+/);
  });

  it.each([
    ["imagee: x", "`imagee` is not known in a service. Did you mean `image`?"],
    ["enviroment: {}", "Did you mean `environment`?"],
    ["priviledged: true", "Did you mean `privileged`?"],
    ["healthcheck: { tset: x, disable: true }", "Did you mean `test`?"],
    ["deploy: { replica: 3 }", "Did you mean `replicas`?"],
    ["x-skep: { antiafinity: [db] }", "Did you mean `antiAffinity`?"],
    ["whatever: 1", "`whatever` is not known in a service. Remove it"],
    ["constructor: 1", "`constructor` is not known in a service"],
  ])("knows what was meant by `%s`", (line, words) => {
    expect(inService(line).join("\n")).toContain(words);
  });

  it("lists everything at once, in the order of the file", () => {
    const found = issues(
      [
        "services:",
        "  web:",
        "    privileged: true",
        "    ports: ['a']",
        "  db:",
        "    image: postgres",
        "    pid: host",
        "    volumes: ['/var/run/docker.sock:/s']",
        "secrets:",
        "  token: { file: x }",
      ].join("\n"),
    );
    expect(found.map(line => line.split(" ")[0])).toEqual([
      "c.yaml:2:3:",
      "c.yaml:3:5:",
      "c.yaml:4:13:",
      "c.yaml:7:5:",
      "c.yaml:8:15:",
      "c.yaml:9:1:",
    ]);
    expect(found[0]).toContain("the service `web` has no image");
  });

  it("refuses keys of the pod on a service that joins one, and names their home", () => {
    const found = issues(
      [
        "services:",
        "  web: { image: nginx }",
        "  side:",
        "    image: s",
        "    network_mode: 'service:web'",
        "    restart: always",
        "    deploy: { replicas: 2, resources: { limits: { memory: 8M } } }",
      ].join("\n"),
    );
    expect(found).toEqual([
      "c.yaml:6:5: services.side.restart: this belongs to the whole pod. Move it to the service `web`, whose pod `side` joins",
      "c.yaml:7:15: services.side.deploy.replicas: this belongs to the whole pod. Move it to the service `web`, whose pod `side` joins",
    ]);
  });

  it("says where a required variable is missing, once", () => {
    expect(issues("services:\n  web:\n    image: nginx\n    deploy: { replicas: '${N:?how many}' }\n")).toEqual([
      "c.yaml:4:25: services.web.deploy.replicas: the variable N is not set: how many. Set it, for example `N=... skep deploy`, or write a line N=... into the file .env",
    ]);
  });

  it("names the merged key in the service that uses it, where it is written", () => {
    expect(issues("x-b: &b\n  privileged: true\nservices:\n  web:\n    image: a\n    <<: *b\n")[0]).toMatch(
      /^c\.yaml:2:3: services\.web\.privileged: /,
    );
  });

  it.each([
    ["text that is no YAML", "services: [", /^c\.yaml:1:12: /],
    ["a key given twice", "services:\n  web: {image: a}\n  web: {image: b}\n", /^c\.yaml:3:3: .*unique/],
    ["an empty file", "", /^c\.yaml:1:1: the file holds no mapping/],
    ["a list", "- a\n", /^c\.yaml:1:1: the file holds no mapping/],
    ["no services", "volumes: {}\n", /^c\.yaml:1:1: the file has no `services`/],
    ["services without one", "services:\n", /^c\.yaml:1:10: services: nothing stands where services belong/],
    ["an empty map of services", "services: {}\n", /^c\.yaml:1:11: services: no service stands here/],
    ["an alias without anchor", "services: *x\n", /^c\.yaml:1:11: /],
    ["an alias of what it stands in", "services: &s\n  web: *s\n", /^c\.yaml:2:8: .*unfold/],
  ])("says of %s what is wrong", (_, text, words) => {
    expect(issues(text)[0]).toMatch(words);
  });

  it("does not unfold aliases without end", () => {
    const lines = Array.from(
      { length: 12 },
      (_, n) => `x-${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(", ")}]`,
    );
    expect(issues(["x-0: &a0 [lol]", ...lines, "services: {web: {image: a}}"].join("\n")).join()).toContain("unfold");
  });

  it("notes what is legal and has no effect, and deploys", () => {
    const composed = compose(
      "version: '3'\nservices:\n  web:\n    image: a\n    depends_on: [db]\n  db: { image: b }\n",
    );
    expect(composed.issues).toEqual([]);
    const found = composed.notes.map(note => `${note.line}:${note.column} ${note.problem}`);
    expect(found.filter(note => !note.includes("the platform's hold"))).toEqual(["1:1 `version` has no effect"]);
  });

  it("takes no variable that nobody set from what every object has", () => {
    const text = ["constructor", "toString", "A=1"].join("\n");
    expect(parseEnvFile(text, {})).toMatchObject({ env: { A: "1" }, problem: undefined });
    expect(Object.keys(parseEnvFile(text, {}).env)).toEqual(["A"]);
  });

  it.each(["", ", format: raw"])("refuses `__proto__` in an env_file at its line%s", format => {
    const text = `services:\n  web:\n    image: nginx\n    env_file: [{path: a.env${format}}]\n`;
    const composed = compose(text, { files: { "a.env": "A=1\nexport __proto__=x\nB=2\n" } });
    const [found, ...more] = composed.issues.map(formatIssue);
    expect(found).toMatch(
      /^c\.yaml:4:\d+: .*line 2 of `a\.env`: `__proto__` cannot name a variable\. Write NAME=value/,
    );
    expect(more).toEqual([]);
  });

  const profiled = [
    ...["services:", "  web:", "    image: a", "  debug:", "    image: b", "    privileged: true"],
    ...["    profiles: [debug, trace]", "  tap:", "    image: c", "    profiles: [trace]"],
  ].join("\n");

  it("leaves out the services of profiles that are not chosen, and says so", () => {
    const composed = compose(profiled);
    expect(composed.deployments.map(({ service }) => service)).toEqual(["web"]);
    expect(composed.issues).toEqual([]);
    const found = composed.notes.map(({ line, problem, advice }) => `${line} ${problem}. ${advice}`);
    expect(found.filter(note => !note.includes("the platform's hold"))).toEqual([
      "7 `debug` is left out: its profile is not chosen. Choose it with `--profile debug`",
      "10 `tap` is left out: its profile is not chosen. Choose it with `--profile trace`",
    ]);
  });

  it("reads the services of profiles that are chosen like others", () => {
    const chosen = (profiles: readonly string[]) => compose(profiled, { profiles });
    expect(chosen(["trace"]).issues.map(({ path }) => path)).toEqual(["services.debug.privileged"]);
    expect(chosen(["*"]).deployments.map(({ service }) => service)).toEqual(["web", "debug", "tap"]);
  });

  it("refuses to deploy nothing, and to join what is left out", () => {
    const lone = "services:\n  tap:\n    image: c\n    profiles: [trace]\n";
    expect(issues(lone)).toEqual([expect.stringContaining("every service belongs to a profile that is not chosen")]);
    const joining = `${lone}  web:\n    image: a\n    network_mode: "service:tap"\n`;
    expect(issues(joining)).toEqual([expect.stringContaining("`tap` is left out: its profile is not chosen")]);
  });
});
