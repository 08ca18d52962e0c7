import { volumesOf } from "@skep/core/model/volume.ts";
import { describe, expect, it } from "vitest";
import { compose, noted, notes, refusals, web } from "../testing/compose.ts";

describe("names", () => {
  it("are written as host names are, which is said, and found again where others use them", () => {
    const text = [
      "services:",
      "  My_Db.1: { image: a }",
      "  side_car: { image: b, network_mode: 'service:My_Db.1' }",
      "  web: { image: c, x-skep: { antiAffinity: [My_Db.1] } }",
    ].join("\n");
    const { deployments, issues } = compose(text);
    expect(issues).toEqual([]);
    expect(deployments.map(({ name, containers }) => [name, containers.map(one => one.name)])).toEqual([
      ["app-my-db-1", ["my-db-1", "side-car"]],
      ["app-web", ["web"]],
    ]);
    expect(deployments[1]?.placement.antiAffinity).toEqual(["app-my-db-1"]);
    expect(noted(text).slice(0, 2)).toEqual([
      expect.stringMatching(/^c\.yaml:2:3: .*`My_Db\.1` is deployed as `my-db-1`/),
      expect.stringMatching(/^c\.yaml:3:3: .*`side_car` is deployed as `side-car`/),
    ]);
  });

  it("may not fall together, be too long, or be none", () => {
    expect(refusals("services:\n  my_db: { image: a }\n  my-db: { image: a }\n")).toEqual([
      expect.stringMatching(/^c\.yaml:2:3: .*`my_db` and `my-db` would both be deployed as `my-db`/),
    ]);
    expect(
      refusals(`services:\n  ${"a".repeat(41)}: { image: a }\n  ___: { image: a }\n  héé: { image: a }\n`),
    ).toEqual([
      expect.stringMatching(/^c\.yaml:2:3: .*cannot name a deployment/),
      expect.stringMatching(/^c\.yaml:3:3: .*`___` cannot name a deployment/),
      expect.stringMatching(/^c\.yaml:4:3: .*`héé` cannot name a deployment/),
    ]);
  });
});

describe("the project", () => {
  const project = (text: Parameters<typeof compose>[0], around = {}): readonly unknown[] => {
    const read = compose(text, around);
    return [
      read.project,
      read.deployments[0]?.name,
      ...read.issues.map(one => `${one.line}:${one.column} ${one.problem}`),
    ];
  };

  it("is called as the file says, else as its folder, and its deployments begin with that", () => {
    expect(project(web())).toEqual(["app", "app-web"]);
    expect(project(`name: shop\n${web()}`)).toEqual(["shop", "shop-web"]);
    expect(project({ "a.yaml": `name: shop\n${web()}`, "b.yaml": "name: store\n" })).toEqual(["store", "store-web"]);
    expect(project(`name: \${P}\n${web()}`, { env: { P: "shop" } })).toEqual(["shop", "shop-web"]);
  });

  it("is called otherwise where the environment says so", () => {
    const around = { env: { COMPOSE_PROJECT_NAME: "other" } };
    expect(project(`name: shop\n${web()}`, around)).toEqual(["other", "other-web"]);
  });

  it("is written as host names are, which is said", () => {
    expect(project(`name: My_Shop\n${web()}`)).toEqual(["my-shop", "my-shop-web"]);
    expect(noted(`name: My_Shop\n${web()}`)).toEqual([
      expect.stringMatching(/^c\.yaml:1:7: name: the project is called `my-shop`/),
    ]);
    expect(noted(`name: shop\n${web()}`)).toEqual([]);
  });

  it("is refused where its name is none", () => {
    for (const name of ["my.shop", "-shop", "'my shop'", "héé", "a".repeat(41)])
      expect(project(`name: ${name}\n${web()}`)[2], name).toMatch(/^1:7 `.*` cannot name a project/);
    expect(project(web(), { folderName: "---" })[2]).toMatch(/^1:1 the folder's name cannot name the project/);
  });

  it("has room for the names of its services, or says which has none, and what to do", () => {
    const service = "b".repeat(30);
    const file = (name: string): string => `name: ${name}\nservices:\n  ${service}: { image: a }\n`;
    expect(refusals(file("a".repeat(9)))).toEqual([]);
    expect(refusals(file("a".repeat(10)))).toEqual([
      expect.stringMatching(/^c\.yaml:3:3: .*at most 40 characters\. Set `name:` .* at most 9 characters$/),
    ]);
    expect(refusals(file("a").replace(service, "b".repeat(40)))).toEqual([
      expect.stringContaining("Give the service a shorter name"),
    ]);
  });
});

describe("another service's name", () => {
  const two = (rest: string, name = "db"): string =>
    `services:\n  web: { image: a, ${rest} }\n  ${name}: { image: b }\n`;

  it.each([
    "environment: { DB_HOST: db }",
    "environment: [DB_HOST=db]",
    "environment: ['DB_HOST=db:5432']",
    "environment: { URL: 'postgres://u:p@db/x' }",
    "environment: { URL: 'http://db' }",
    "environment: { NODES: 'a:1,db:2' }",
    "environment: { NODES: 'a,db' }",
    "environment: { DB_NAME: 'jdbc:postgresql://db:5432/x' }",
    "command: [-dbhost, db]",
    "command: run --host=db",
    "command: sh -c 'wait-for db:5432 && run'",
    "entrypoint: [run, --url, 'redis://db']",
    "links: [db]",
  ])("is noted where it is a host: %s", line => {
    expect(noted(two(line))).toEqual([
      expect.stringMatching(/^c\.yaml:2:\d+: .*`db` is another deployment, and is found/),
    ]);
  });

  it.each([
    "environment: { POSTGRES_DB: db }",
    "environment: [DB_USER=db]",
    "environment: { A: 'mydb:1', B: 'db.example.com', C: 'http://db.io', D: 'x-db' }",
    "command: db",
    "command: [db, --file, /db/x]",
  ])("is not where it is none: %s", line => {
    expect(noted(two(line))).toEqual([]);
  });

  it("is said to be nobody's where the service is deployed otherwise, and localhost within a pod", () => {
    expect(noted(two("environment: { H: my_db }", "my_db")).join("\n")).toContain(
      "no host is called `my_db`: it is known as `my-db`",
    );
    const pod =
      "services:\n  web: { image: a, command: [x, 'db:1'] }\n  db: { image: b, network_mode: 'service:web' }\n";
    expect(noted(pod)).toEqual([expect.stringContaining("`db` stands in the same pod, where no name leads to it")]);
  });

  it("may be that of its container, its host or an alias", () => {
    const other = (rest: string): string =>
      `services:\n  web: { image: a, command: [x, 'sql:3306'] }\n  db: { image: b, ${rest} }\n`;
    for (const rest of ["container_name: sql", "hostname: sql", "networks: { default: { aliases: [sql] } }"])
      expect(noted(other(rest)).join("\n")).toContain("no host is called `sql`: it is known as `db`");
  });

  it("may be another one by `links`, which leads nowhere yet", () => {
    expect(refusals(two("links: ['db:mysql']"))).toEqual([]);
    expect(notes(two("links: ['db:mysql']")).join("\n")).toMatch(/c\.yaml:2:28: .*no host is called `mysql` yet/);
  });
});

describe("volumes", () => {
  const mountsOf = (declared: string) =>
    compose(`services: { a: { image: a, volumes: ['d:/a'] } }\nvolumes: { d: ${declared} }\n`).deployments[0]
      ?.containers[0]?.volumes[0];

  it("are the project's: services that name one mount the same, in pods of their own or in one", () => {
    const two = (rest: string): string =>
      `services:\n  a: { image: a, volumes: ['data:/a'] }\n  b: { image: b, volumes: [{ type: volume, source: data, target: /b }]${rest} }\nvolumes: { data: }\n`;
    for (const rest of ["", ", network_mode: 'service:a'"]) {
      const { deployments, issues } = compose(two(rest));
      expect(issues).toEqual([]);
      const owners = deployments.flatMap(spec => volumesOf("acme", spec).map(one => `${one.owner}/${one.name}`));
      expect(new Set(owners).size).toBe(1);
      expect(owners[0]).toMatch(/^acme\/[a-z]+\/data$/);
    }
  });

  it("with a name are the tenant's, and an external one has to be there", () => {
    const plain = { target: "/a", readOnly: false };
    expect(mountsOf("")).toEqual({ ...plain, name: "d" });
    expect(mountsOf("{ name: shared }")).toEqual({ ...plain, name: "shared", project: "" });
    expect(mountsOf("{ external: true }")).toEqual({ ...plain, name: "d", project: "", isExternal: true });
    expect(mountsOf("{ external: false }")).toEqual({ ...plain, name: "d" });
    expect(mountsOf("{ external: true, name: x }")).toEqual({ ...plain, name: "x", project: "", isExternal: true });
    expect(mountsOf("{ external: { name: x } }")).toEqual({ ...plain, name: "x", project: "", isExternal: true });
    expect(mountsOf("{ external: true, name: blog/data }")).toMatchObject({ name: "data", project: "blog" });
    const text = "services: { a: { image: a, volumes: ['d:/a'] } }\nvolumes: { d: { external: true } }\n";
    expect(noted(text)).toEqual([
      expect.stringMatching(/^c\.yaml:2:17: .*`d` is made elsewhere, and what mounts it waits/),
    ]);
  });

  it("say whether they may begin empty while their node is away", () => {
    expect(mountsOf("{ x-skep: { move: empty } }")).toMatchObject({ move: "empty" });
    expect(mountsOf("{ x-skep: { move: wait } }")).not.toHaveProperty("move");
    const text = (volume: string): string =>
      `services: { a: { image: a, volumes: ['d:/a'] } }\nvolumes: { d: ${volume} }\n`;
    expect(refusals(text("{ x-skep: { move: away } }"))).toEqual([expect.stringMatching(/^c\.yaml:2:33: /)]);
    expect(refusals(text("{ x-skep: { moves: empty } }"))).toEqual([expect.stringContaining("Did you mean `move`?")]);
    expect(refusals(text("{ driver_opts: { type: nfs } }"))).toEqual([
      expect.stringMatching(/^c\.yaml:2:17: .*volumes are local to their node/),
    ]);
    expect(refusals(text("{ driver: nfs, labels: { a: b } }")).length).toBe(1);
  });

  it("say of a file of this machine that it cannot come along yet", () => {
    const files = { "nginx.conf": "x" };
    const said = refusals(web("volumes: ['./nginx.conf:/etc/nginx/nginx.conf:ro', './conf:/c']"), { files });
    expect(said).toEqual([
      expect.stringMatching(/^c\.yaml:4:15: .*`\.\/nginx\.conf` is a file of this machine, and files cannot be handed/),
      expect.stringMatching(/^c\.yaml:4:\d+: .*`\.\/conf` is a path of the node/),
    ]);
  });

  it.each([
    ["{ type: volume, source: d, target: /d, volume: { subpath: x } }", "a part of a volume cannot be mounted"],
    ["{ type: image, source: d, target: /d }", "of the type `image`"],
    ["{ source: d, target: /d }", "has no `type`"],
  ])("refuse what would be lost: %s", (mount, words) => {
    expect(refusals(`${web(`volumes: [${mount}]`)}volumes: { d: }\n`).join("\n")).toContain(words);
  });
});

it("names every fault at once, those of the server's rules among them", () => {
  const text = [
    "services:",
    "  Bad__Name_that_is_longer_than_forty_letters_are: { image: UPPER, pid: host }",
    "  web:",
    "    image: a",
    "    user: 'a b'",
    "    environment: { 'A-': 1, 1B: 2 }",
    "    labels: { com.docker.x: 1, traefik.http.routers.w.rule: 'Hots(`a`)' }",
    "    network_mode: 'service:nobody'",
    "    deploy: { placement: { constraints: [nonsense] }, restart_policy: { max_attempts: -1 } }",
    "  db: { volumes: ['/etc:/etc'], stop_signal: FOO, deploy: { update_config: { parallelism: 2000 } } }",
  ].join("\n");
  const places = "2:3 2:54 2:68 5:5 6:29 7:5 7:15 7:32 8:19 9:42 9:87 10:3 10:19 10:33 10:91".split(" ");
  expect(refusals(text).map(line => line.split(" ")[0])).toEqual(places.map(at => `c.yaml:${at}:`));
});
