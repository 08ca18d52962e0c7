import type { Connector } from "./connector.ts";

/** What stands for a password in an answer. */
const HIDDEN = "***";

/**
 * The connector without what nobody may read: no secret, and `***` for the password of its
 * database.
 */
export function withoutSecrets(connector: Connector): Connector {
  const { url } = connector.config.resources.specs.database;
  return withSecrets(connector, "", url === undefined ? undefined : hidePassword(url));
}

/**
 * The connector of a change with what it does not say because no answer tells it: an empty secret
 * is the recorded one, and `***` in its database's address is the recorded password.
 */
export function keepSecrets(wanted: Connector, recorded: Connector): Connector {
  const known = recorded.config.resources.specs.database.url;
  const { url } = wanted.config.resources.specs.database;
  const isShown = known !== undefined && url === hidePassword(known);
  return withSecrets(wanted, wanted.access.secret || recorded.access.secret, isShown ? known : url);
}

/** The connector with another secret. */
export function withSecret(connector: Connector, secret: string): Connector {
  return withSecrets(connector, secret, connector.config.resources.specs.database.url);
}

/**
 * Whether a connector has what an answer shows in place of a password: nobody could connect by it.
 */
export function hasHiddenPassword({ config }: Pick<Connector, "config">): boolean {
  const { url = "" } = config.resources.specs.database;
  return url.includes(`:${HIDDEN}@`) && hidePassword(url) === url;
}

/** An address with `***` for its password, also where it is no address. */
export function hidePassword(url: string): string {
  const start = url.indexOf("://") + 3;
  const end = url.lastIndexOf("@");
  if (start < 3 || end < start) return url;
  const colon = url.indexOf(":", start);
  return colon === -1 || colon > end ? url : `${url.slice(0, colon)}:${HIDDEN}${url.slice(end)}`;
}

function withSecrets(connector: Connector, secret: string, url: string | undefined): Connector {
  const { access, config } = connector;
  const { specs } = config.resources;
  const database = { ...specs.database, url };
  const resources = { ...config.resources, specs: { ...specs, database } };
  return { ...connector, access: { ...access, secret }, config: { ...config, resources } };
}
