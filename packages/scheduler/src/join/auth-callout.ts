import { decode, encodeAuthorizationResponse, encodeUser } from "@nats-io/jwt";
import { timingSafeEqual, createHash } from "node:crypto";
import { nodePermissions } from "@skep/api/subjects.ts";
import { admit, type Admission } from "@skep/core/identity/admission.ts";
import type { BusMessage } from "@skep/kit/bus.ts";
import { hasSigned } from "@skep/kit/nats-keys.ts";
import { createAlarmWindow } from "../loop/alarm-window.ts";
import type { Beats } from "../loop/beats.ts";
import type { LoopPorts, Running } from "../loop/ports.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { NodeRecord } from "../store/store.ts";

/** What the schedulers need to let agents into the bus. */
export interface JoinSecrets {
  /** Seed of the account key that nats.conf names as issuer: it signs each user. */
  readonly issuerSeed: string;
  /** What the first agent of a node has to know. */
  readonly joinSecret: string;
  /** How long a login holds before it is judged anew, about. */
  readonly loginForMs?: number;
}

/** A login that NATS asks about; what is not read here is left out. */
interface LoginRequest {
  readonly server_id: { readonly id: string };
  readonly user_nkey: string;
  readonly client_info: { readonly host?: string; readonly nonce?: string };
  readonly connect_opts: {
    readonly user?: string;
    readonly pass?: string;
    readonly nkey?: string;
    readonly sig?: string;
  };
}

/** NATS asks here about each login of a user that its configuration does not have. */
const LOGINS = "$SYS.REQ.USER.AUTH";
/** An agent may answer a question for this long, and streams of logs and commands are answers. */
const ANSWER_FOR_NS = 24 * 3_600 * 1e9;
/** While a node was heard within this time the fleet lives, and its list of nodes stands. */
const LIVES_FOR_MS = 60_000;
/**
 * A login holds this long, give or take half of it, so that not all agents come back at once. Then
 * NATS ends the connection, its agent logs in anew within a second, and is judged anew.
 */
const LOGIN_FOR_MS = 24 * 3_600_000;
const ID = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * Answers NATS's question whom to let in: an agent names its node, signs the server's challenge,
 * and gets a user with that node's subjects and no other. The records say which key counts for a
 * node, so nothing of NATS is restarted for a join or a revocation. While no scheduler answers,
 * connections stay and no new one is let in.
 */
export function answerLogins(ports: LoopPorts, beats: Beats, secrets: JoinSecrets): Running {
  const { store, bus, clock, log, loops, random } = ports;
  const { loginForMs = LOGIN_FOR_MS } = secrets;
  const outage = loops.watch("logins");
  const issuer = new TextEncoder().encode(secrets.issuerSeed);
  const alarms = createAlarmWindow(clock, leftOut => {
    const sentence = `${leftOut} more logins at the bus were refused: the schedulers' logs say which came first.`;
    log.error("node.refused", sentence, { leftOut });
    store.saveDecisions([aboutNode(undefined, sentence, clock.now())]).catch(() => undefined);
  });

  async function judge(request: LoginRequest): Promise<Admission & { readonly nodeId: string }> {
    const { user: nodeId = "", pass = "", nkey = "", sig = "" } = request.connect_opts;
    if (!ID.test(nodeId)) return { nodeId: "", kind: "refuse", because: "it names no node", isAlarming: false };
    if (!hasSigned(nkey, request.client_info.nonce ?? "", sig))
      return { nodeId, kind: "refuse", because: "it has not signed the server's challenge", isAlarming: true };
    const recorded = await store.loadNodeKey(nodeId);
    const isListed = recorded === undefined ? listed(await store.listNodes(), nodeId, beats) : undefined;
    const knowsSecret = isSame(pass, secrets.joinSecret);
    const admission = admit({ publicKey: nkey, knowsSecret, recorded, isListed });
    if (admission.kind !== "join") return { nodeId, ...admission };
    // Two may join as one node at once: the key that was written first is the node's.
    const kept = await store.joinNode(nodeId, nkey, clock.now());
    return { nodeId, ...admit({ publicKey: nkey, knowsSecret, recorded: kept, isListed }) };
  }

  function until(): { readonly aud: string; readonly exp: number } {
    const forMs = loginForMs * (0.5 + random());
    return { aud: "$G", exp: Math.ceil((clock.now() + forMs) / 1_000) };
  }

  async function answer(message: BusMessage): Promise<void> {
    const request = decode<LoginRequest>(new TextDecoder().decode(message.data)).nats as unknown as LoginRequest;
    const admission = await judge(request);
    const { user_nkey: userKey, server_id: server } = request;
    const grant =
      admission.kind === "refuse"
        ? { error: admission.because }
        : { jwt: await encodeUser(admission.nodeId, userKey, issuer, userOf(admission.nodeId), until()) };
    if (admission.kind === "refuse") tell(admission, request.client_info.host ?? "");
    const response = await encodeAuthorizationResponse(userKey, server.id, issuer, grant, { aud: server.id });
    message.reply(new TextEncoder().encode(response));
  }

  function tell(
    { nodeId, because, isAlarming }: Extract<Admission, { kind: "refuse" }> & { nodeId: string },
    host: string,
  ): void {
    const fields = { nodeId, host, because };
    if (!isAlarming) return log.info("node.not-admitted", "An agent was not let into the bus.", fields);
    const word = `${nodeId} ${because}`;
    if (!alarms.isNew(word)) return;
    log.error("node.refused", "An agent was refused by the bus.", fields);
    const sentence = `Somebody at ${host} who calls itself node ${nodeId} was refused: ${because}.`;
    store.saveDecisions([aboutNode(nodeId, sentence, clock.now())]).catch(() => alarms.forget(word));
  }

  const subscription = bus.subscribe(LOGINS, message => void answer(message).then(outage.succeeded, outage.failed), {
    queue: "logins",
  });
  return {
    close: async () => {
      subscription.close();
      alarms.close();
      outage.close();
    },
  };
}

/**
 * The user of a node's agent: its own subjects, and an answer to each question that was put to it.
 */
function userOf(nodeId: string): Parameters<typeof encodeUser>[3] {
  const { publish, subscribe } = nodePermissions(nodeId);
  return {
    pub: { allow: [...publish] },
    sub: { allow: [...subscribe] },
    resp: { max: -1, ttl: ANSWER_FOR_NS },
  } as Parameters<typeof encodeUser>[3];
}

/**
 * Whether the Swarm has the node, by the list that a manager told last. It stands while any node of
 * the fleet is heard, also while no manager is: who is not on it has to wait for one. `undefined`
 * where no list was ever told, and where all its nodes are silent, because the Swarm was formed
 * anew.
 */
function listed(nodes: readonly NodeRecord[], nodeId: string, beats: Beats): boolean | undefined {
  const told = nodes.filter(({ swarmState }) => swarmState !== "unknown");
  if (told.some(({ node, swarmState }) => node.id === nodeId && swarmState !== "removed")) return true;
  return told.some(({ node }) => beats.silentMs(node.id) < LIVES_FOR_MS) ? false : undefined;
}

function isSame(given: string, wanted: string): boolean {
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(wanted));
}

function aboutNode(nodeId: string | undefined, sentence: string, at: number): Decision {
  const nobody = { tenantId: undefined, deploymentId: undefined, instanceId: undefined, epoch: undefined };
  return { ...nobody, at, kind: "node.refused", nodeId, sentence };
}
