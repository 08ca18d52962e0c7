import type { EventWorkspace, WorkspaceEvents } from "@skep/workspace/events/workspace-events.ts";
import { expect } from "vitest";
import type { Client, EventHost } from "./event-clients.ts";

/** A workspace that is open on a host. */
export type OpenWorkspace = EventWorkspace & { readonly events: WorkspaceEvents };

const LIMITS = { sockets: 500, events: 100, channels: 50 };
let number = 0;

/** Opens a workspace of a test's own. */
export async function openOn(host: EventHost, limits: Partial<typeof LIMITS> = {}): Promise<OpenWorkspace> {
  number += 1;
  const workspace = { id: `w${number}`, secret: `sk_secret_${number}`, limits: { ...LIMITS, ...limits } };
  return { ...workspace, events: await host.events.open(workspace) };
}

/** A client that is in, with the secret if nothing else is said. */
export async function joinOn(host: EventHost, workspace: EventWorkspace, auth?: object): Promise<Client> {
  const client = host.client(workspace.id, auth ?? { secret: workspace.secret });
  expect(await client.entry).toBeUndefined();
  return client;
}

/** An event of that topic. */
export function event(topic: string, data: unknown = {}): { topic: string; data: unknown; at: number } {
  return { topic, data, at: 1 };
}
