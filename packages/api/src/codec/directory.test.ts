import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DirectoryPart } from "@skep/core/network/held-directory.ts";
import type { NameTable } from "@skep/core/network/names.ts";
import { expect, it } from "vitest";
import { NameTableSchema } from "../gen/skep/v1/names_pb.ts";
import {
  decodeDirectoryFetch,
  decodeDirectoryJournal,
  decodeDirectoryNews,
  encodeDirectoryFetch,
  encodeDirectoryJournal,
  encodeDirectoryNews,
  nameTableFromProto,
  nameTableToProto,
} from "./directory.ts";

const entry = {
  ...{ deployment: "shop-web", project: "shop", service: "web", well: ["10.128.0.2"], others: ["10.128.0.3"] },
  networks: [{ name: "shop_default", aliases: ["www"] }],
};
const lone = { ...entry, deployment: "lone", project: undefined, service: undefined };
const names = { tenantId: "acme", entries: [entry, lone] };
const peers = [{ nodeId: "n1", address: "10.0.0.1", block: "10.128.0.0/20" }];
const parts: readonly DirectoryPart[] = [
  { kind: "network", digest: 2n ** 64n - 1n, network: { peers } },
  { kind: "tenant", digest: 7n, names },
];
const news = { incarnation: "inc", term: 3, seq: 9, digest: 5n, parts, gone: ["other"] };

it("reads again what was written", () => {
  expect(decodeDirectoryNews(encodeDirectoryNews("n1", news, 1_000_000))).toEqual({ nodeId: "n1", ...news });
  const fetch = {
    nodeId: "n1",
    sessionId: "s",
    held: new Map([
      ["", 2n ** 64n - 1n],
      ["acme", 7n],
    ]),
  };
  expect(decodeDirectoryFetch(encodeDirectoryFetch(fetch))).toEqual(fetch);
  const held = {
    incarnation: "inc",
    term: 3,
    seq: 9,
    parts: new Map([
      ["", parts[0]!],
      ["acme", parts[1]!],
    ]),
  };
  expect(decodeDirectoryJournal(encodeDirectoryJournal(held))).toEqual(held);
  const askers = [
    { address: "10.128.0.2", tenantId: "acme", project: "shop", networks: ["shop_default"] },
    { address: "10.128.0.4", tenantId: "acme", project: undefined, networks: [] },
  ];
  const table: NameTable = { askers, tenants: [names] };
  const bytes = toBinary(NameTableSchema, create(NameTableSchema, nameTableToProto(table)));
  expect(nameTableFromProto(fromBinary(NameTableSchema, bytes))).toEqual(table);
});

it("leaves parts out of a message that has no room for them, and says what all of them are recognised by", () => {
  const bytes = encodeDirectoryNews("n1", news, 1_100);
  expect(bytes.length).toBeLessThanOrEqual(1_100);
  expect(decodeDirectoryNews(bytes)).toMatchObject({ digest: 5n, parts: [{ kind: "network" }] });
});
