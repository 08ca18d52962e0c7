import { createClient, type CallOptions, type Client, type Transport } from "@connectrpc/connect";
import { fromConnectError } from "@skep/api/codec/error.ts";
import { hostAnswerFromProto, hostAssignmentFromProto, hostReportToProto } from "@skep/api/codec/host.ts";
import { fromUint64 } from "@skep/api/codec/number.ts";
import { ruleFromProto } from "@skep/api/codec/rule.ts";
import { HostService, type LoadRulesResponse } from "@skep/api/gen/skep/v1/host_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { HostAssignment } from "@skep/core/workspace/host-assignment.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Enrolled, HostApi, LoadedRules } from "./host-api.ts";

/** How the schedulers are reached. */
export interface ConnectApiOptions {
  /** A way to each of the schedulers; any of them answers. */
  readonly transports: readonly [Transport, ...(readonly Transport[])];
  /** Of the hosts' service, or of one workspace; `undefined` where everybody is let in. */
  readonly secret: string | undefined;
  readonly clock: Clock;
}

type HostClient = Client<typeof HostService>;

interface Token {
  readonly token: string;
  readonly renewAtMs: number;
}

/**
 * The schedulers over Connect. A call that fails goes to the next of them when it is made again, so
 * that one that is down or cut off costs one try. The token is renewed at half its time, and where
 * a scheduler does not know it.
 */
export function createConnectApi({ transports, secret, clock }: ConnectApiOptions): HostApi {
  const clients = transports.map(transport => createClient(HostService, transport));
  let turn = 0;
  let identity = "";
  let token: Token | undefined;

  const client = (): HostClient => clients[turn % clients.length]!;
  const bearer = (text: string | undefined, signal: AbortSignal): CallOptions => ({
    signal,
    ...(text === undefined ? {} : { headers: { authorization: `Bearer ${text}` } }),
  });

  function failed(thrown: unknown): SkepError {
    turn += 1;
    const error = fromConnectError(thrown);
    if (error.code === "unauthenticated") token = undefined;
    return error;
  }

  async function enrol(signal: AbortSignal): Promise<Enrolled> {
    const answer = await client().enrol({ identity }, bearer(secret, signal));
    refuseMistaken(secret, answer.workspaceId);
    token = { token: answer.token, renewAtMs: clock.monotonic() + answer.expiresInMs / 2 };
    return { hostId: answer.hostId, workspaceId: answer.workspaceId || undefined };
  }

  async function options(signal: AbortSignal): Promise<CallOptions> {
    if (token === undefined || token.renewAtMs <= clock.monotonic()) await enrol(signal);
    return bearer(secret === undefined ? undefined : token?.token, signal);
  }

  async function* attach(hostId: string, signal: AbortSignal): AsyncGenerator<HostAssignment> {
    try {
      for await (const { assignment } of client().attach({ hostId }, await options(signal)))
        if (assignment !== undefined) yield hostAssignmentFromProto(assignment);
    } catch (thrown) {
      throw failed(thrown);
    }
  }

  return {
    enrol: async (mine, signal) => {
      identity = mine;
      token = undefined;
      try {
        return await enrol(signal);
      } catch (thrown) {
        throw failed(thrown);
      }
    },
    attach,
    loadRules: async (hostId, workspaceId, signal) => {
      try {
        return loadedFrom(await client().loadRules({ hostId, workspaceId }, await options(signal)));
      } catch (thrown) {
        throw failed(thrown);
      }
    },
    report: async (report, signal) => {
      try {
        return hostAnswerFromProto(await client().report(hostReportToProto(report), await options(signal)));
      } catch (thrown) {
        throw failed(thrown);
      }
    },
  };
}

/**
 * A host of one workspace that is taken for another would run others' workspaces, or none.
 * @throws SkepError `failed_precondition` `HOST_MISTAKEN`.
 */
function refuseMistaken(secret: string | undefined, workspaceId: string): void {
  const own = /^skep-workspace\.([^.]+)\./.exec(secret ?? "")?.[1];
  if (own === undefined || own === workspaceId) return;
  throw new SkepError(
    "failed_precondition",
    "HOST_MISTAKEN",
    `This host is that of workspace ${own}, and the schedulers take it for ${workspaceId === "" ? "a shared one" : `that of ${workspaceId}`}: ` +
      "they do not know its secret. See that SKEP_URL names the schedulers that made it.",
  );
}

function loadedFrom({ rulesVersion, rules, webhooks }: LoadRulesResponse): LoadedRules {
  return {
    rulesVersion: fromUint64(rulesVersion, "rules_version"),
    records: rules.map(ruleFromProto),
    webhooks: new Map(webhooks.map(({ name, url, secret }) => [name, { url, secret: secret || undefined }])),
  };
}
