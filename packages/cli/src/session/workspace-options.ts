import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import {
  ConnectorAccessSchema,
  ConnectorSchema,
  HostStrategy,
  WorkspaceEnvironment,
  WorkspacePurposeSchema,
  WorkspaceScale,
  type Connector,
  type WorkspacePurpose,
} from "@skep/api/gen/skep/v1/workspace_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { Option, type Command } from "commander";
import type { Io } from "../io.ts";
import { messageOf, readDocument, readText } from "./document-file.ts";

/** What a workspace is for, as the command line says it. */
export interface PurposeOptions {
  readonly environment?: Lowercase<keyof typeof WorkspaceEnvironment>;
  readonly scale?: Lowercase<keyof typeof WorkspaceScale>;
  readonly regulated?: boolean;
  readonly performance?: boolean;
  readonly cheap?: boolean;
}

/** Adds the options that say what a workspace is for. */
export function purposeOptions(command: Command): Command {
  return command
    .addOption(new Option("--environment <WHICH>", "what it is for").choices(["development", "testing", "production"]))
    .addOption(new Option("--scale <SIZE>", "how large it is").choices(["small", "large"]))
    .option("--regulated", "a regulator or a contract asks for resources of its own")
    .option("--no-regulated", "nobody asks for that")
    .option("--performance", "latency and throughput have to be the same at any time")
    .option("--no-performance", "they have not")
    .option("--cheap", "the price counts most")
    .option("--no-cheap", "it does not");
}

/**
 * The purpose that is said; `undefined` where nothing of it is. What is not said stays as `known`
 * has it.
 */
export function purposeOf(options: PurposeOptions, known?: WorkspacePurpose): WorkspacePurpose | undefined {
  const { environment, scale, regulated, performance, cheap } = options;
  if ([environment, scale, regulated, performance, cheap].every(one => one === undefined)) return undefined;
  const wordOf = <T extends string>(word: T): Uppercase<T> => word.toUpperCase() as Uppercase<T>;
  return create(WorkspacePurposeSchema, {
    environment: environment === undefined ? (known?.environment ?? 0) : WorkspaceEnvironment[wordOf(environment)],
    scale: scale === undefined ? (known?.scale ?? 0) : WorkspaceScale[wordOf(scale)],
    isRegulated: regulated ?? known?.isRegulated ?? false,
    needsPerformance: performance ?? known?.needsPerformance ?? false,
    isCostSensitive: cheap ?? known?.isCostSensitive ?? false,
  });
}

/** Adds the option that says how the host is chosen. */
export function strategyOption(command: Command): Command {
  const option = new Option("--strategy <HOW>", "how its host is chosen").choices(["least-loaded", "round-robin"]);
  return command.addOption(option);
}

/** The strategy that is said; unspecified where none is. */
export function strategyOf(word: string | undefined): HostStrategy {
  if (word === undefined) return HostStrategy.UNSPECIFIED;
  return word === "round-robin" ? HostStrategy.ROUND_ROBIN : HostStrategy.LEAST_LOADED;
}

/** Where the parts of a connector come from. */
export interface ConnectorOptions {
  readonly file?: string;
  readonly secretFile?: string;
  readonly mode?: "shared" | "standalone";
  readonly name?: string;
}

/** A connector, and the secret that was made for it where nobody gave one. */
export interface NewConnector {
  readonly connector: Connector;
  readonly secret: string | undefined;
}

/**
 * The connector of a file, or one with the defaults. Its secret is the file's or of a file of its
 * own, never an argument; else a fresh one. @throws SkepError `invalid_argument`.
 */
export function newConnector(io: Io, id: string | undefined, options: ConnectorOptions): NewConnector {
  const connector = options.file === undefined ? plainConnector(id, options.name) : fileConnector(io, options);
  if (id !== undefined && connector.id !== id)
    throw refused(`The file describes "${connector.id}", and the command line names ${id}; name one.`);
  const { access, config } = connector;
  if (options.mode !== undefined && config?.resources !== undefined) config.resources.type = options.mode;
  if (options.secretFile !== undefined && access !== undefined) access.secret = readSecret(io, options.secretFile);
  if (access === undefined || access.secret !== "") return { connector, secret: undefined };
  access.secret = `sk_${randomBytes(24).toString("base64url")}`;
  return { connector, secret: access.secret };
}

/** The connector of a file as a change has it: without a secret it keeps the recorded one. */
export function changedConnector(io: Io, options: ConnectorOptions): Connector | undefined {
  if (options.file === undefined) return undefined;
  const connector = fileConnector(io, options);
  if (options.secretFile !== undefined && connector.access !== undefined)
    connector.access.secret = readSecret(io, options.secretFile);
  return connector;
}

function fileConnector(io: Io, { file = "-" }: ConnectorOptions): Connector {
  const connector = messageOf(ConnectorSchema, readDocument(io, file), file);
  connector.access ??= create(ConnectorAccessSchema);
  return connector;
}

function plainConnector(id: string | undefined, name: string | undefined): Connector {
  if (id === undefined) throw refused("Name the workspace, or the file of its connector by `-f FILE`.");
  return create(ConnectorSchema, {
    ...{ id, type: "IoT", name: name ?? id, enabled: true, access: {} },
    workspace: { type: "developer" },
    config: { protocol: "sio", resources: { type: "shared" } },
  });
}

/** @throws SkepError `invalid_argument` for an empty one: it would be taken as none. */
function readSecret(io: Io, file: string): string {
  const secret = readText(io, file).trim();
  if (secret === "") throw refused(`The file ${file} has no secret in it.`);
  return secret;
}

function refused(message: string): SkepError {
  return new SkepError("invalid_argument", "WORKSPACE_UNSAID", message);
}
