import type { Issue } from "../error.ts";
import type { FileStore } from "./file-store.ts";
import { check, checkWhole, isName } from "../model/validate-rules.ts";

/** Id of a workspace: lower-case letters, digits and dashes, 1 to 40 characters (R74). */
export type WorkspaceId = string;

/** Whether a workspace shares its host with others or has one to itself (R84). */
export type Mode = "shared" | "standalone";

/** What bounds one workspace (R81, R82, R87..R89, R96). */
export interface RateLimits {
  /** Sockets connected at once. */
  readonly sockets: number;
  /** Events a second of each socket; all sockets together may do `sockets` times as many (C1). */
  readonly events: number;
}

/** What a workspace's resources are bounded to. */
export interface ResourceLimits extends RateLimits {
  /** Topics of the broker that are subscribed to. */
  readonly channels: number;
}

/** What describes a workspace (R74..R90). */
export interface Connector {
  readonly id: WorkspaceId;
  readonly workspace: {
    /** For people and for the selection of a mode, such as `developer`. */
    readonly type: string;
    /** The owner's own code, such as `DEV-9X00-233`. */
    readonly icode: string;
  };
  readonly type: "IoT";
  readonly name: string;
  readonly access: {
    /** What a socket or a program shows to get in. */
    readonly secret: string;
    /** Electronic mail addresses of those who look after it. */
    readonly maintainers: readonly string[];
    readonly ratelimits: RateLimits;
  };
  readonly config: {
    /** Socket.IO. */
    readonly protocol: "sio";
    readonly resources: {
      readonly type: Mode;
      readonly specs: {
        readonly database: {
          /** A database of the tenant's own; `undefined` for one of Skep's. */
          readonly url: string | undefined;
          /** Megabytes that it may grow to. */
          readonly size: number;
          /** Days that messages and dead letters are kept; for ever where it is absent. */
          readonly retentionDays?: number;
        };
        /** An S3 server of the tenant's own; absent for one of Skep's. */
        readonly files?: FileStore;
        readonly ratelimits: ResourceLimits;
        /** Messages that are stored in a second (R17); the host's own bound otherwise. */
        readonly messagesPerSecond?: number;
      };
    };
  };
  readonly enabled: boolean;
}

/** What a connector that says nothing gets (R96). */
export const DEFAULT_LIMITS: ResourceLimits = { sockets: 500, events: 100, channels: 50 };
/** Megabytes of a database of which the connector says nothing (R86). */
export const DEFAULT_DATABASE_MB = 1024;

const MOST: ResourceLimits = { sockets: 100_000, events: 100_000, channels: 10_000 };
const MOST_DATABASE_MB = 16 * 1024 * 1024;
const MOST_DAYS = 36_500;
const MOST_MESSAGES = 1_000_000;
const LEAST_SECRET = 10;
const MOST_MAINTAINERS = 100;

/** Everything that is wrong with a connector; empty for a good one. No issue repeats a secret. */
export function validateConnector(connector: Connector): readonly Issue[] {
  const issues: Issue[] = [];
  const { id, workspace, name, access, config } = connector;
  const advice = "use 1 to 40 lower-case letters, digits and dashes";
  check(issues, "id", isName(id), `"${id.slice(0, 60)}" is no id`, advice);
  checkText(issues, "workspace.type", workspace.type, 1, 40);
  checkText(issues, "workspace.icode", workspace.icode, 0, 100);
  checkText(issues, "name", name, 1, 200);
  check(
    issues,
    "access.secret",
    access.secret.length >= LEAST_SECRET && access.secret.length <= 512,
    `it has ${access.secret.length} characters`,
    `use ${LEAST_SECRET} to 512`,
  );
  const count = access.maintainers.length;
  const most = `name at most ${MOST_MAINTAINERS}`;
  check(issues, "access.maintainers", count <= MOST_MAINTAINERS, `there are ${count}`, most);
  access.maintainers.forEach((address, index) => {
    const isAddress = address.length <= 254 && /^[^\s@]+@[^\s@]+$/.test(address);
    const path = `access.maintainers[${index}]`;
    check(issues, path, isAddress, `"${address.slice(0, 60)}" is no mail address`, "use name@domain");
  });
  checkLimits(issues, "access.ratelimits", access.ratelimits);
  const { specs } = config.resources;
  checkLimits(issues, "config.resources.specs.ratelimits", specs.ratelimits);
  const { database, messagesPerSecond } = specs;
  checkWhole(issues, "config.resources.specs.database.size", database.size, 1, MOST_DATABASE_MB);
  if (database.retentionDays !== undefined)
    checkWhole(issues, "config.resources.specs.database.retentionDays", database.retentionDays, 1, MOST_DAYS);
  if (messagesPerSecond !== undefined)
    checkWhole(issues, "config.resources.specs.messagesPerSecond", messagesPerSecond, 1, MOST_MESSAGES);
  return issues;
}

/**
 * What bounds the workspace: of two limits of one thing the lower holds, since each was somebody's
 * wish to bound it.
 */
export function limitsOf({ access, config }: Pick<Connector, "access" | "config">): ResourceLimits {
  const { ratelimits } = config.resources.specs;
  return {
    sockets: Math.min(access.ratelimits.sockets, ratelimits.sockets),
    events: Math.min(access.ratelimits.events, ratelimits.events),
    channels: ratelimits.channels,
  };
}

function checkLimits(issues: Issue[], path: string, limits: Partial<ResourceLimits>): void {
  for (const key of ["sockets", "events", "channels"] as const) {
    const limit = limits[key];
    if (limit !== undefined) checkWhole(issues, `${path}.${key}`, limit, 1, MOST[key]);
  }
}

function checkText(issues: Issue[], path: string, text: string, least: number, most: number): void {
  const good = text.length >= least && text.length <= most && !/\p{Cc}/u.test(text);
  const problem = `it has ${text.length} characters, or control characters`;
  check(issues, path, good, problem, `use ${least} to ${most} characters that can be printed`);
}
