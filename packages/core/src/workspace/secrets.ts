import type { Connector } from "./connector.ts";
import type { FileStore } from "./file-store.ts";

/** What stands for a password in an answer. */
const HIDDEN = "***";

/**
 * The connector without what nobody may read: no secret, and `***` for the password of its
 * database and the key of its files.
 */
export function withoutSecrets(connector: Connector): Connector {
  const { database, files } = connector.config.resources.specs;
  const url = database.url === undefined ? undefined : hidePassword(database.url);
  return withSecrets(connector, "", url, files?.secretKey === undefined ? undefined : HIDDEN);
}

/**
 * The connector of a change with what it does not say because no answer tells it: an empty secret
 * is the recorded one, `***` in its database's address is the recorded password, and `***` for the
 * key of its files the recorded key, unless another server, bucket or key is named: whoever may
 * change a workspace could have the key sent to a server of his.
 */
export function keepSecrets(wanted: Connector, recorded: Connector): Connector {
  const { database, files } = recorded.config.resources.specs;
  const { database: wantedDatabase, files: wantedFiles } = wanted.config.resources.specs;
  const isShown = database.url !== undefined && wantedDatabase.url === hidePassword(database.url);
  const hasKey = files !== undefined && isSamePlace(wantedFiles, files) && wantedFiles?.secretKey === HIDDEN;
  return withSecrets(
    wanted,
    wanted.access.secret || recorded.access.secret,
    isShown ? database.url : wantedDatabase.url,
    hasKey ? files.secretKey : wantedFiles?.secretKey,
  );
}

function isSamePlace(one: FileStore | undefined, other: FileStore): boolean {
  return one?.url === other.url && one.bucket === other.bucket && one.accessKey === other.accessKey;
}

/** The connector with another secret. */
export function withSecret(connector: Connector, secret: string): Connector {
  const { database, files } = connector.config.resources.specs;
  return withSecrets(connector, secret, database.url, files?.secretKey);
}

/**
 * Where a connector has what an answer shows in place of a password: nobody could connect by it.
 * `undefined` where it has none.
 */
export function hiddenPasswordIn({
  config,
}: Pick<Connector, "config">): "database.url" | "files.secret_key" | undefined {
  const { database, files } = config.resources.specs;
  const { url = "" } = database;
  if (url.includes(`:${HIDDEN}@`) && hidePassword(url) === url) return "database.url";
  return files?.secretKey === HIDDEN ? "files.secret_key" : undefined;
}

/** An address with `***` for its password, also where it is no address. */
export function hidePassword(url: string): string {
  const start = url.indexOf("://") + 3;
  const end = url.lastIndexOf("@");
  if (start < 3 || end < start) return url;
  const colon = url.indexOf(":", start);
  return colon === -1 || colon > end ? url : `${url.slice(0, colon)}:${HIDDEN}${url.slice(end)}`;
}

function withSecrets(
  connector: Connector,
  secret: string,
  url: string | undefined,
  secretKey: string | undefined,
): Connector {
  const { access, config } = connector;
  const { specs } = config.resources;
  const { files } = specs;
  const parts = {
    database: { ...specs.database, url },
    ...(files === undefined || secretKey === undefined ? {} : { files: { ...files, secretKey } }),
  };
  const resources = { ...config.resources, specs: { ...specs, ...parts } };
  return { ...connector, access: { ...access, secret }, config: { ...config, resources } };
}
