import { OUTSIDE } from "../../support/net-rig.ts";
import type { Order } from "../../support/net-speaker.ts";
import { INSTANCES, type Name } from "./two-nodes.ts";

/** One cell: who asks whom, in words and as an order; and who answers, or `nobody`. */
export interface Cell {
  readonly from: Name | "edge" | "node1" | "node2" | "world";
  readonly to: string;
  readonly order: Order;
  readonly answer: string;
}

const NODE_1 = "198.18.0.11";
const NODE_2 = "198.18.0.12";

function cell(from: Cell["from"], to: string, host: string, port: number, answer: string): Cell {
  return { from, to, order: { kind: "tcp", host, port }, answer };
}

function between(from: Name, to: Name, words: string, answer: string): Cell {
  return cell(from, `${words} (${to})`, INSTANCES[to].address, 80, answer);
}

/** Who reaches whom, on two nodes with two tenants. */
export const TABLE: readonly Cell[] = [
  between("a1", "a2", "the same network on the same node", "a2"),
  between("a1", "a4", "the same network on another node", "a4"),
  between("a4", "a1", "the same network on another node", "a1"),
  between("a3", "a2", "the second network of an instance with two", "a2"),
  between("a1", "a3", "another network of the same tenant on the same node", "nobody"),
  between("a3", "a4", "another network of the same tenant on another node", "nobody"),
  between("a1", "b1", "another tenant on the same node", "nobody"),
  between("a1", "b2", "another tenant on another node", "nobody"),
  between("b2", "a1", "another tenant on another node", "nobody"),
  { ...between("a1", "a2", "the same network by UDP", "a2"), order: { kind: "udp", host: "10.128.0.3", port: 5000 } },
  { ...between("a1", "b1", "another tenant by UDP", "nobody"), order: { kind: "udp", host: "10.128.0.5", port: 5000 } },
  cell("a1", "an address that nobody has", "10.128.0.99", 80, "nobody"),
  cell("a1", "an edge's port on its own node", NODE_1, 443, "node1"),
  cell("a1", "an edge's port on another node", NODE_2, 443, "node2"),
  cell("a1", "an edge in a container of its node", NODE_1, 8443, "edge"),
  cell("a4", "an edge in a container of another node", NODE_1, 8443, "edge"),
  cell("edge", "an instance of its node", INSTANCES.a1.address, 80, "a1"),
  cell("edge", "an instance of another node", INSTANCES.b2.address, 80, "b2"),
  cell("a1", "an edge's container around its port", "172.18.0.2", 443, "nobody"),
  cell("a1", "a port of its own node", NODE_1, 22, "nobody"),
  cell("a1", "a port of another node", NODE_2, 22, "nobody"),
  cell("a1", "a port of its node by its next hop", "169.254.1.1", 22, "nobody"),
  cell("a1", "names by TCP", "169.254.1.1", 53, "node1"),
  { ...cell("a1", "names by UDP", "169.254.1.1", 53, "node1"), order: { kind: "udp", host: "169.254.1.1", port: 53 } },
  cell("a1", "the cloud's metadata", OUTSIDE.metadata, 80, "nobody"),
  cell("a1", "the internet", OUTSIDE.internet, 80, "world"),
  cell("b2", "the internet", OUTSIDE.internet, 80, "world"),
  cell("a1", "what the operator allows", OUTSIDE.operator, 5432, "world"),
  cell("a1", "another port of what the operator allows", OUTSIDE.operator, 80, "nobody"),
  cell("a1", "a private address that nobody allowed", "198.18.0.1", 80, "nobody"),
  cell("a1", "its own published port", NODE_1, 8080, "a1"),
  cell("a2", "a published port of its own node", NODE_1, 8080, "a1"),
  cell("a1", "a published port of another node", NODE_2, 9090, "b2"),
  cell("world", "a published port", NODE_1, 8080, "a1"),
  cell("world", "an instance around the edge", INSTANCES.a1.address, 80, "nobody"),
  cell("node1", "a published port of its own", NODE_1, 8080, "a1"),
  cell("node1", "a program of its own on the loopback, at a port that is published", "127.0.0.1", 8080, "node1"),
  cell("node2", "a published port of another node", NODE_1, 8080, "a1"),
  cell("node1", "an instance of its own, as an edge does", INSTANCES.a1.address, 80, "a1"),
  cell("node1", "an instance of another node, as an edge does", INSTANCES.a4.address, 80, "a4"),
  cell("node2", "another tenant's instance on another node, as an edge does", INSTANCES.b1.address, 80, "b1"),
];
