import type { SkepClient } from "@skep/sdk/client.ts";
import { connect } from "@skep/sdk/node.ts";
import type { Command } from "commander";
import { Option } from "commander";
import type { Io } from "../io.ts";
import type { View } from "../output/view.ts";
import { checkUrls, currentContext, readToken } from "./context.ts";

/** One run of a command against one platform. */
export interface Session extends View {
  readonly api: SkepClient;
  readonly url: string;
}

/** What every command that talks to the platform may be given. */
export interface SessionOptions {
  readonly context?: string;
  readonly tenant?: string;
  readonly output?: "table" | "json";
}

/** Adds the options for the platform, the tenant, and the form of the output. */
export function connected(command: Command): Command {
  return command
    .option("-t, --tenant <NAME>", "tenant of names without a dot (else SKEP_TENANT, the context's, or `default`)")
    .addOption(new Option("-o, --output <FORMAT>", "who reads it: people or programs").choices(["table", "json"]))
    .option("--context <NAME>", "platform to talk to (see `skep context`)");
}

/**
 * Opens a session for a command's options. @throws SkepError where the context or token cannot be
 * read.
 */
export async function openSession(io: Io, options: SessionOptions): Promise<Session> {
  const context = currentContext(io, options.context);
  checkUrls(context.url, "The platform's address (SKEP_URL, or the context's)");
  const token = readToken(io, context);
  const tenant = options.tenant ?? context.tenant ?? "default";
  return {
    api: connect({ url: context.url, ...(token === undefined ? {} : { token }) }),
    io,
    url: context.url,
    tenant,
    json: options.output === "json",
  };
}
