import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Connector, Mode, RateLimits, ResourceLimits } from "@skep/core/workspace/connector.ts";
import { DEFAULT_DATABASE_MB, DEFAULT_LIMITS } from "@skep/core/workspace/connector.ts";
import { DEFAULT_FILE_REGION, type FileStore } from "@skep/core/workspace/file-store.ts";
import { SkepError } from "@skep/core/error.ts";
import type { Connector as ConnectorMessage, ConnectorSchema } from "../gen/skep/v1/workspace_pb.ts";

/**
 * A message's connector; what it does not say gets the defaults, and both spellings of its limits
 * are read. @throws SkepError `invalid_argument` `UNKNOWN_MODE`; everything else that is wrong with
 * it is core's `validateConnector` to say.
 */
export function connectorFromProto(message: ConnectorMessage): Connector {
  const { id, name, workspace, access, config, enabled } = message;
  const specs = config?.resources?.specs;
  return {
    ...{ id, name, type: "IoT", enabled: enabled ?? true },
    workspace: { type: workspace?.type ?? "", icode: workspace?.icode ?? "" },
    access: {
      secret: access?.secret ?? "",
      maintainers: [...(access?.maintainers ?? [])],
      ratelimits: limitsFromProto(access?.ratelimits ?? access?.ratelimit),
    },
    config: {
      protocol: "sio",
      resources: {
        type: modeOf(config?.resources?.type ?? ""),
        specs: {
          database: {
            ...{ url: specs?.database?.url || undefined, size: specs?.database?.size ?? DEFAULT_DATABASE_MB },
            ...said("retentionDays", specs?.database?.retentionDays),
          },
          ...filesFromProto(specs?.files),
          ratelimits: resourceLimitsFromProto(specs?.ratelimits ?? specs?.ratelimit),
          ...said("messagesPerSecond", specs?.messagesPerSecond),
        },
      },
    },
  };
}

/** A connector as a message, with all that it has. */
export function connectorToProto(connector: Connector): MessageInitShape<typeof ConnectorSchema> {
  const { id, name, type, workspace, access, config, enabled } = connector;
  const { protocol, resources } = config;
  const { database, files, ratelimits, messagesPerSecond } = resources.specs;
  return {
    ...{ id, name, type, workspace, enabled },
    access: { ...access, maintainers: [...access.maintainers] },
    config: {
      protocol,
      resources: {
        type: resources.type,
        specs: {
          database: {
            ...{ url: database.url ?? "", size: database.size },
            ...said("retentionDays", database.retentionDays),
          },
          ...(files === undefined ? {} : { files }),
          ratelimits,
          ...said("messagesPerSecond", messagesPerSecond),
        },
      },
    },
  };
}

function filesFromProto(message: Partial<FileStore> | undefined): { readonly files?: FileStore } {
  if (message === undefined) return {};
  const { url = "", region = "", bucket = "", accessKey = "", secretKey = "" } = message;
  return { files: { url, region: region || DEFAULT_FILE_REGION, bucket, accessKey, secretKey } };
}

/** A field that has a value, or none. */
function said<Name extends string>(name: Name, value: number | undefined): { readonly [Key in Name]?: number } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [Key in Name]?: number });
}

interface Limits {
  readonly sockets?: number | undefined;
  readonly events?: number | undefined;
}

function limitsFromProto(limits: Limits | undefined): RateLimits {
  return {
    sockets: limits?.sockets ?? DEFAULT_LIMITS.sockets,
    events: limits?.events ?? DEFAULT_LIMITS.events,
  };
}

function resourceLimitsFromProto(
  limits: (Limits & { readonly channels?: number | undefined }) | undefined,
): ResourceLimits {
  return { ...limitsFromProto(limits), channels: limits?.channels ?? DEFAULT_LIMITS.channels };
}

function modeOf(text: string): Mode {
  if (text === "shared" || text === "standalone") return text;
  const path = "config.resources.type";
  throw new SkepError(
    "invalid_argument",
    "UNKNOWN_MODE",
    `${path} is "${text.slice(0, 40)}"; use shared or standalone.`,
    {
      issues: [{ path, problem: `"${text.slice(0, 40)}" is no mode`, advice: "use shared or standalone" }],
    },
  );
}
