import { networksOf } from "@skep/core/network/membership.ts";
import { describe, expect, it } from "vitest";
import { compose, notes, refusals } from "../testing/compose.ts";

/** The networks of each service, with its aliases there. */
function networks(text: string): Readonly<Record<string, readonly string[]>> {
  const { deployments, issues } = compose(text);
  expect(issues).toEqual([]);
  return Object.fromEntries(
    deployments.map(spec => [
      spec.service!,
      networksOf(spec).map(({ name, aliases, isInternal }) =>
        [name, ...(isInternal ? ["internal"] : []), ...aliases].join(" "),
      ),
    ]),
  );
}

const file = (services: readonly string[], rest = "") =>
  `name: shop\nservices:\n${services.map(line => `  ${line}\n`).join("")}${rest}`;

describe("networks", () => {
  it("are the project's own where a service names none, and nothing is written down for it", () => {
    const text = file(["web: { image: a }"]);
    expect(networks(text)).toEqual({ web: ["shop_default"] });
    expect(compose(text).deployments[0]).not.toHaveProperty("networks");
  });

  it("belong to the project, whichever form a service names them in", () => {
    const text = file(
      [
        "web: { image: a, networks: [front, back] }",
        "db: { image: a, networks: { back: { aliases: [sql] }, default: } }",
      ],
      "networks:\n  front:\n  back: { driver: overlay, internal: true }\n",
    );
    expect(networks(text)).toEqual({
      web: ["shop_front", "shop_back internal"],
      db: ["shop_back internal sql", "shop_default"],
    });
  });

  it("have another name where the file says so, and are the tenant's where they are external", () => {
    const text = file(
      ["web: { image: a, networks: [own, proxy, old] }", "db: { image: a }"],
      "networks:\n  own: { name: theirs }\n  proxy: { external: true }\n  old: { external: { name: ancient } }\n  default: { name: all }\n",
    );
    expect(networks(text)).toEqual({ web: ["theirs", "proxy", "ancient"], db: ["all"] });
    expect(notes(text).filter(one => one.includes("the tenant's network"))).toHaveLength(2);
  });

  it("lead every name to a service that Compose would: as it is written, its container's, and those of links", () => {
    const text = file([
      "My_Db: { image: a, container_name: Main.db }",
      "web: { image: a, links: ['My_Db:mysql', cache] }",
      "cache: { image: a, container_name: cache }",
    ]);
    expect(networks(text)).toEqual({
      "my-db": ["shop_default My_Db Main.db mysql"],
      web: ["shop_default"],
      cache: ["shop_default"],
    });
  });

  it("are those of the pod's first service, and the others may name none", () => {
    const text = file(
      ["web: { image: a, networks: [back] }", "side: { image: a, network_mode: 'service:web', container_name: x }"],
      "networks: { back: }\n",
    );
    expect(networks(text)).toEqual({ web: ["shop_back"] });
    const both = text.replace("container_name: x", "networks: [back]");
    expect(refusals(both)).toEqual([expect.stringMatching(/^c\.yaml:4:\d+: .*belongs to the whole pod/)]);
  });

  it.each([
    ["web: { image: a, networks: [back] }", "", /^c\.yaml:3:31: .*no network is called `back`/],
    ["web: { image: a, networks: 7 }", "", /^c\.yaml:3:30: .*stands where networks belong/],
    ["web: { image: a, networks: { default: { ipv4_address: 10.0.0.2 } } }", "", /3:\d+: .*address cannot be chosen/],
    ["web: { image: a, networks: { default: { aliases: ['a b'] } } }", "", /3:\d+: .*"a b" is no host's name/],
    ["web: { image: a, networks: { default: { aliases: [db.acme.skep] } } }", "", /no `\.skep` at the end/],
    ["web: { image: a }", "networks: { back: { driver: macvlan } }\n", /4:\d+: .*node's own network/],
    ["web: { image: a }", "networks: [back]\n", /^c\.yaml:4:\d+: .*stands where networks belong/],
    ["web: { image: a, links: [nobody] }", "", /3:\d+: .*no service is called `nobody`/],
    ["web: { image: a, links: ['web:db'] }\n  db: { image: a }", "", /`web` cannot be called `db` as well: `db` is/],
  ])("refuses %s %s", (service, rest, expected) => {
    expect(refusals(file([service], rest))).toEqual([expect.stringMatching(expected)]);
  });

  it("are at most eight", () => {
    const names = Array.from({ length: 9 }, (_, at) => `n${at}`);
    const rest = `networks: { ${names.map(name => `${name}: `).join(", ")} }\n`;
    expect(refusals(file([`web: { image: a, networks: [${names.join(", ")}] }`], rest))).toEqual([
      expect.stringMatching(/3:\d+: .*it is in 9 networks/),
    ]);
  });
});
