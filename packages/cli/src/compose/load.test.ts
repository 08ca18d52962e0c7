import { describe, expect, it } from "vitest";
import { compose, notes, refusals } from "../testing/compose.ts";
import type { Around } from "../testing/compose.ts";

function containers(text: string, around: Around = {}): Readonly<Record<string, object>> {
  const { deployments, issues } = compose(text, around);
  expect(issues).toEqual([]);
  return Object.fromEntries(deployments.map(({ service, containers: [first] }) => [service, first as object]));
}

describe("extends", () => {
  it("begins with a service of the same file, over several steps", () => {
    const text = [
      "services:",
      "  base: { image: a, command: [x], environment: { A: 1, B: 1 }, cpus: 2 }",
      "  middle: { extends: base, environment: [B=2] }",
      "  web: { extends: { service: middle }, image: c, command: y }",
    ].join("\n");
    expect(containers(text)).toMatchObject({
      base: { image: "a", env: { A: "1", B: "1" } },
      middle: { image: "a", command: ["x"], env: { A: "1", B: "2" }, resources: { cpuMillis: 2000 } },
      web: { image: "c", command: ["y"], env: { A: "1", B: "2" } },
    });
  });

  it("begins with a service of another file, whose paths begin beside it", () => {
    const files = {
      "parts/base.yaml": "services:\n  base: { extends: root, env_file: base.env }\n  root: { image: '${I:-a}' }\n",
      "parts/base.env": "A=1\n",
      "own.env": "B=2\n",
    };
    const text = "services:\n  web: { extends: { file: parts/base.yaml, service: base }, env_file: own.env }\n";
    expect(containers(text, { files, env: { I: "z" } })).toMatchObject({
      web: { image: "z", env: { A: "1", B: "2" } },
    });
  });

  it("takes `!reset` and `!override` of the service, and names faults of the base where it is used", () => {
    const text = [
      "services:",
      "  base: { image: a, ports: ['80'], tmpfs: [/a], privileged: true }",
      "  web: { extends: base, ports: !reset [], tmpfs: !override [/b], privileged: false }",
    ].join("\n");
    const { deployments } = compose(text);
    expect(deployments[1]?.containers[0]).toMatchObject({ ports: [], tmpfs: [{ target: "/b" }] });
    expect(refusals("services:\n  base: { image: a, pid: host }\n  web: { extends: base }\n")).toEqual([
      expect.stringMatching(/^c\.yaml:2:21: services\.web\.pid: /),
    ]);
    expect(notes(text).join()).not.toContain("!reset");
  });

  const loop = { "b.yaml": "services:\n  two: { image: b, extends: { file: c.yaml, service: one } }\n" };
  it.each([
    [
      "itself",
      "services:\n  web: { image: a, extends: web }\n",
      {},
      /^c\.yaml:2:29: .*extend each other: `web` of c\.yaml → `web`/,
    ],
    [
      "in a round",
      "services:\n  a: { image: a, extends: b }\n  b: { extends: a }\n",
      {},
      /extend each other: `a` of c\.yaml → `b` of c\.yaml → `a`/,
    ],
    [
      "in a round over files",
      "services:\n  one: { image: a, extends: { file: b.yaml, service: two } }\n",
      { ...loop, "c.yaml": "services:\n  one: { image: a, extends: { file: b.yaml, service: two } }\n" },
      /extend each other: .*c\.yaml → .*b\.yaml → .*c\.yaml/,
    ],
    [
      "nobody",
      "services:\n  web: { image: a, extends: { service: x } }\n",
      {},
      /^c\.yaml:2:40: .*no service of c\.yaml is called `x`/,
    ],
    [
      "no file",
      "services:\n  web: { image: a, extends: { service: x, file: no.yaml } }\n",
      {},
      /^c\.yaml:2:49: .*`no\.yaml` cannot be read: it is not there/,
    ],
    [
      "a far file",
      "services:\n  web: { image: a, extends: { service: x, file: 'https://a.io/c.yaml' } }\n",
      {},
      /is no file of this machine/,
    ],
  ])("is refused where it names %s", (_, text, files, words) => {
    expect(refusals(text, { files }).join("\n")).toMatch(words);
  });

  it("does not unfold without end", () => {
    const chain = Array.from(
      { length: 400 },
      (_, at) => `  s${at + 1}: { extends: s${at}, environment: { K${at}: 1 } }`,
    );
    const text = ["services:", "  s0: { image: a }", ...chain].join("\n");
    expect(refusals(text).join("\n")).toContain("what services extend unfolds to more than 20000 values");
  });
});

it("does not extend over more steps than anybody can follow", () => {
  const chain = Array.from({ length: 102 }, (_, at) => `  s${at}: { extends: s${at + 1} }`);
  const text = (from: number): string => ["services:", ...chain.slice(from), "  s102: { image: a }"].join("\n");
  expect(refusals(text(1)).join("\n")).toContain("over 100 steps");
  expect(refusals(text(3))).toEqual([]);
});

describe("include", () => {
  it("brings services and volumes of other files, below those of the file", () => {
    const files = {
      "db/compose.yaml":
        "services:\n  db: { image: '${DB:-none}', volumes: ['data:/d'], env_file: db.env }\n  web: { user: me, image: b }\nvolumes: { data: }\n",
      "db/.env": "DB=postgres\nA=below\n",
      "db/db.env": "A=${A}\n",
    };
    const text = "include: [db/compose.yaml]\nservices:\n  web: { image: a }\n";
    expect(containers(text, { files })).toMatchObject({
      db: { image: "postgres", env: { A: "below" }, volumes: [{ name: "data" }] },
      web: { image: "a", user: "me" },
    });
    expect(containers(text, { files, env: { DB: "mine" } })).toMatchObject({ db: { image: "mine" } });
  });

  it("has a long form: several files, a folder and files of variables of its own", () => {
    const files = {
      "db/one.yaml": "services:\n  db: { image: '${DB}', env_file: x.env }\n",
      "db/two.yaml": "services:\n  db: { user: '${WHO}' }\n",
      "at/x.env": "X=1\n",
      "first.env": "DB=one\nWHO=me\n",
      "second.env": "DB=${DB}-two\n",
    };
    const text =
      "include:\n  - path: [db/one.yaml, db/two.yaml]\n    project_directory: at\n    env_file: [first.env, second.env]\nservices:\n  web: { image: a }\n";
    expect(containers(text, { files })).toMatchObject({ db: { image: "one-two", user: "me", env: { X: "1" } } });
  });

  it.each([
    [
      "itself",
      "include: [c.yaml]",
      { "c.yaml": "include: [c.yaml]" },
      /^c\.yaml:1:11: .*include each other: c\.yaml → c\.yaml/,
    ],
    [
      "in a round",
      "include: [b.yaml]",
      { "b.yaml": "include: [d.yaml]", "d.yaml": "include: [b.yaml]" },
      /^d\.yaml:1:11: .*b\.yaml → d\.yaml → b\.yaml/,
    ],
    ["no file", "include: [no.yaml]", {}, /^c\.yaml:1:11: .*`no\.yaml` cannot be read/],
    ["a far file", "include: ['oci://a.io/b']", {}, /^c\.yaml:1:11: .*is no file of this machine/],
    ["no list", "include: a.yaml", {}, /stands where a list of files belongs/],
    [
      "no file of variables",
      "include: [{ path: a.yaml, env_file: no.env }]",
      { "a.yaml": "services: {}" },
      /^c\.yaml:1:37: .*`no\.env` cannot be read/,
    ],
  ])("is refused where it names %s", (_, line, files, words) => {
    expect(refusals(`${line}\nservices:\n  web: { image: a }\n`, { files }).join("\n")).toMatch(words);
  });

  it("reads so many files and no more", () => {
    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, at) => [`f${at}.yaml`, `include: [f${at + 1}.yaml, f${at + 1}.yaml]\n`]),
    );
    expect(refusals("include: [f0.yaml]\nservices: { web: { image: a } }", { files }).join("\n")).toContain(
      "reads more than 200 files",
    );
  });
});
