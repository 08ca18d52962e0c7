import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { parseBlock } from "@skep/core/network/block.ts";
import type { NameAsker, NameEntry } from "@skep/core/network/names.ts";
import { answer, FORWARD, indexNames } from "./answer.ts";
import { RCODE, TYPE } from "./wire.ts";

const POOL = parseBlock("10.128.0.0/10")!;

function entry(name: string, over: Partial<NameEntry> = {}): NameEntry {
  const [service, project] = name.split(".");
  const networks = [{ name: project === undefined ? "default" : `${project}_default`, aliases: [] }];
  const deployment = project === undefined ? service! : `${project}-${service}`;
  return {
    ...{ deployment, project, service: project === undefined ? undefined : service, networks },
    ...{ well: [], others: [], ...over },
  };
}

const shop: NameAsker = {
  ...{ address: "10.128.0.2", tenantId: "acme", project: "shop" },
  networks: ["shop_default", "shop_back"],
};
const back = { name: "shop_back", aliases: ["sql", "DB.internal"] };
const index = indexNames({
  askers: [shop],
  tenants: [
    {
      tenantId: "acme",
      entries: [
        entry("web.shop", { well: ["10.128.0.3", "10.128.16.2"], others: ["10.128.16.9"] }),
        entry("db.shop", { networks: [back], well: ["10.128.0.4"] }),
        entry("app.shop", { others: ["10.128.0.2"] }),
        entry("down.shop"),
        entry("hidden.shop", { networks: [{ name: "shop_front", aliases: ["web"] }], well: ["10.128.0.5"] }),
        entry("db.blog", { networks: [{ name: "shop_default", aliases: [] }], well: ["10.128.0.6"] }),
        entry("tasks.shop", { well: ["10.128.0.8"] }),
        entry("lone", { networks: [{ name: "shop_back", aliases: [] }], well: ["10.128.0.7"] }),
      ],
    },
    { tenantId: "evil", entries: [entry("db.shop", { networks: [back], well: ["10.128.9.9"] })] },
  ],
});

function ask(name: string, type: number = TYPE.A, turn = 0, asker = shop) {
  const reply = answer({ name, type }, asker, index, { pool: POOL, turn });
  if (reply === FORWARD) return FORWARD;
  if (reply.rcode === RCODE.NXDOMAIN) return "nobody";
  return reply.answers.map(one => (one.type === "A" ? one.address : one.name)).join(" ");
}

describe("what a name means to an instance", () => {
  it.each([
    ["a service of its project", "db", "10.128.0.4"],
    ["a deployment", "shop-db", "10.128.0.4"],
    ["a deployment without a project", "lone", "10.128.0.7"],
    ["an alias", "sql", "10.128.0.4"],
    ["an alias with dots and capitals", "db.internal", "10.128.0.4"],
    ["a service of another project that shares a network", "db.blog", "10.128.0.6"],
    ["the same in full", "db.blog.acme.skep", "10.128.0.6"],
    ["a deployment in full", "lone.acme.skep", "10.128.0.7"],
    ["all tasks", "tasks.web", "10.128.0.3 10.128.16.2"],
    ["all tasks in full", "tasks.web.shop.acme.skep", "10.128.0.3 10.128.16.2"],
    ["a service called tasks", "tasks", "10.128.0.8"],
    ["itself, though it is not well", "app", "10.128.0.2"],
  ])("%s: %s", (_, name, addresses) => {
    expect(ask(name)).toBe(addresses);
  });

  it("gives the addresses in turn, so that who takes the first one takes each", () => {
    expect(ask("web", TYPE.A, 1)).toBe("10.128.16.2 10.128.0.3");
    expect(ask("web", TYPE.A, 2)).toBe("10.128.0.3 10.128.16.2");
  });

  it("has no other record of a known name, and says that the name is there", () => {
    for (const type of [TYPE.AAAA, 16]) expect(ask("web", type)).toBe("");
    expect(ask("10.128.0.3", TYPE.AAAA)).toBe(FORWARD);
  });

  it.each([
    ["a service that is not well anywhere", "down"],
    ["the same by its project", "down.shop"],
    ["a service in another network", "hidden"],
    ["the same in full", "hidden.shop.acme.skep"],
    ["a name that nobody has", "nowhere"],
    ["one of a known project", "nowhere.shop"],
    ["a service of its project, as if the tenant had it", "db.acme.skep"],
    ["another tenant's", "db.shop.evil.skep"],
    ["the zone itself", "acme.skep"],
  ])("finds nobody for %s, and asks nobody outside: %s", (_, name) => {
    expect(ask(name)).toBe("nobody");
    expect(ask(name, TYPE.AAAA)).toBe("nobody");
  });

  it.each(["example.com", "db.example", "shop.example.com", "", "1.0.0.127.in-addr.arpa"])("passes %s on", name => {
    expect(ask(name)).toBe(FORWARD);
  });

  it("tells whose an address is, if it may be reached", () => {
    expect(ask("4.0.128.10.in-addr.arpa", TYPE.PTR)).toBe("db.shop.acme.skep");
    expect(ask("7.0.128.10.in-addr.arpa", TYPE.PTR)).toBe("lone.acme.skep");
    expect(ask("9.16.128.10.in-addr.arpa", TYPE.PTR), "one that is not well").toBe("web.shop.acme.skep");
    for (const hidden of ["5.0.128.10", "9.9.128.10", "1.1.128.10"])
      expect(ask(`${hidden}.in-addr.arpa`, TYPE.PTR)).toBe("nobody");
  });

  it("means nothing to who is in no network", () => {
    expect(ask("web", TYPE.A, 0, { ...shop, networks: [] })).toBe("nobody");
  });
});

it("never gives an address of what shares no network with the asker, whatever is asked", () => {
  const word = fc.constantFrom("a", "b", "tasks", "p", "q");
  const network = fc.constantFrom("p_default", "q_default", "x");
  const memberships = fc.array(fc.record({ name: network, aliases: fc.array(word, { maxLength: 2 }) }), {
    maxLength: 2,
  });
  const entries = fc.array(
    fc.record({
      service: word,
      project: fc.constantFrom("p", "q"),
      networks: memberships,
      tenantId: fc.constantFrom("t", "u"),
    }),
    { maxLength: 8 },
  );
  const name = fc.array(fc.oneof(word, fc.constantFrom("t", "u", "skep")), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(entries, fc.array(network, { maxLength: 2 }), name, (made, networks, labels) => {
      const all = made.map(({ service, project, ...rest }, at) => ({
        ...{
          ...rest,
          service,
          project,
          deployment: `${project}-${service}`,
          well: [`10.128.0.${at + 10}`],
          others: [],
        },
      }));
      const tenants = ["t", "u"].map(tenantId => ({ tenantId, entries: all.filter(one => one.tenantId === tenantId) }));
      const asker = { address: "10.128.0.1", tenantId: "t", project: "p", networks };
      const table = indexNames({ askers: [asker], tenants });
      const reply = answer({ name: labels.join("."), type: TYPE.A }, asker, table, { pool: POOL, turn: 0 });
      if (reply === FORWARD) return;
      const allowed = new Set(
        all
          .filter(one => one.tenantId === "t" && one.networks.some(of => networks.includes(of.name)))
          .flatMap(one => one.well),
      );
      for (const one of reply.answers) expect(one.type === "A" && allowed.has(one.address)).toBe(true);
    }),
    { numRuns: 300 },
  );
});
