import { SkepError } from "@skep/core/error.ts";
import { resolve } from "node:path";
import { examples } from "../session/act.ts";
import { checkToken, checkUrls, contextPath, readContexts, storeToken, writeContexts } from "../session/context.ts";
import { openSession } from "../session/open.ts";
import { explainUnreachable } from "../session/reach.ts";
import type { Setup } from "./command.ts";

interface Options {
  readonly name: string;
  readonly tokenFile?: string;
  readonly tokenStdin?: boolean;
  readonly tenant?: string;
}

/** `skep login`. */
export const login: Setup = (command, io) => {
  command
    .argument(
      "<url>",
      "the platform's address, like https://skep.example.com, or several of its servers with commas between",
    )
    .option("--name <NAME>", "name to remember it by", "default")
    .option("--token-file <PATH>", "file that holds the token")
    .option("--token-stdin", "read the token from standard input and keep it in a file of your own")
    .option("-t, --tenant <NAME>", "tenant of names without a dot");
  examples(command, [
    ["skep login http://localhost:7700", "a platform without tokens"],
    ["skep login http://node-1:7700,http://node-2:7700", "servers of one platform: the next is asked when one is away"],
    ["skep login https://skep.example.com --token-file ~/.skep-token", "use the token in a file"],
    ["pass skep | skep login https://skep.example.com --name prod --token-stdin", "keep a token from a password store"],
  ]);
  command.action(async (url: string, options: Options) => {
    checkUrls(url, "The argument");
    if (!/^[\w.-]{1,64}$/.test(options.name))
      throw new SkepError(
        "invalid_argument",
        "BAD_CONTEXT_NAME",
        `\`${options.name}\` cannot name a context. Use letters, digits, dots and dashes.`,
      );
    const given = options.tokenFile === undefined ? undefined : resolve(io.cwd, options.tokenFile);
    const tokenFile =
      options.tokenStdin === true ? storeToken(io, options.name, readTokenFromInput(io.readInput())) : given;
    const context = {
      url,
      ...(tokenFile === undefined ? {} : { tokenFile }),
      ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
    };
    const before = readContexts(io);
    writeContexts(io, { current: options.name, contexts: { ...before.contexts, [options.name]: context } });
    io.out(`${options.name}: ${url}, kept in ${contextPath(io)}\n`);
    const session = await openSession(io, { context: options.name });
    const status = await session.api.platform.getStatus({}).catch((error: unknown) => {
      throw explainUnreachable(error, url);
    });
    io.out(`${status.replica} ${status.version} answers\n`);
  });
};

function readTokenFromInput(text: string): string {
  const token = text.trim();
  checkToken(token, "Standard input");
  return token;
}
