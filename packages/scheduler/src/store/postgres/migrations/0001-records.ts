import { sql, type Kysely } from "kysely";

/**
 * The tables. Times are milliseconds since the epoch, as everywhere in Skep, except a lease's end:
 * that one is the database's own clock. Constraints do the fencing: one location per instance and
 * epoch, one user per host port of a node, one owner per domain.
 */
export async function records(db: Kysely<unknown>): Promise<void> {
  for (const statement of [SPEC, DESIRED, NODES, STATUS, HISTORY]) await sql.raw(statement).execute(db);
}

/**
 * What the API writes; the tenant `default` is for people who need no other. A route can only name
 * a domain that its own tenant owns: that is the foreign key's doing.
 */
const SPEC = `
CREATE TABLE tenants (
  id text PRIMARY KEY,
  quota_instances integer,
  quota_cpu_millis integer,
  quota_memory_bytes bigint
);
INSERT INTO tenants (id) VALUES ('default');
CREATE TABLE deployments (
  id text PRIMARY KEY,
  tenant_id text NOT NULL CONSTRAINT deployments_tenant REFERENCES tenants,
  name text NOT NULL,
  desired text NOT NULL CHECK (desired IN ('run', 'stopped', 'deleted')),
  replicas integer NOT NULL,
  release integer NOT NULL,
  resource_version integer NOT NULL,
  next_serial integer NOT NULL,
  created_at bigint NOT NULL
);
CREATE INDEX deployments_by_tenant ON deployments (tenant_id, id);
CREATE TABLE releases (
  deployment_id text NOT NULL REFERENCES deployments ON DELETE CASCADE,
  number integer NOT NULL,
  spec jsonb NOT NULL,
  cpu_millis bigint NOT NULL,
  memory_bytes bigint NOT NULL,
  uid bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  PRIMARY KEY (deployment_id, number)
);
CREATE TABLE domains (
  domain text PRIMARY KEY,
  tenant_id text NOT NULL REFERENCES tenants,
  UNIQUE (domain, tenant_id)
);
CREATE TABLE deployment_routing (
  deployment_id text NOT NULL REFERENCES deployments ON DELETE CASCADE,
  tenant_id text NOT NULL,
  router text NOT NULL,
  kind text NOT NULL,
  domain text NOT NULL,
  path text NOT NULL,
  rule text NOT NULL,
  entry_points jsonb NOT NULL,
  priority integer,
  container text NOT NULL,
  target_port integer NOT NULL,
  ssl_enabled boolean NOT NULL,
  weight integer NOT NULL,
  load_balancer_algo text NOT NULL,
  middlewares jsonb NOT NULL,
  service jsonb NOT NULL,
  PRIMARY KEY (deployment_id, router),
  CONSTRAINT deployment_routing_owner FOREIGN KEY (domain, tenant_id) REFERENCES domains (domain, tenant_id)
);
CREATE INDEX deployment_routing_by_domain ON deployment_routing (domain);`;

/** What the tick writes. */
const DESIRED = `
CREATE TABLE instances (
  id text PRIMARY KEY,
  tenant_id text NOT NULL,
  deployment_id text NOT NULL REFERENCES deployments ON DELETE CASCADE,
  release integer NOT NULL,
  slot integer NOT NULL,
  epoch integer NOT NULL,
  desired text NOT NULL CHECK (desired IN ('run', 'stop')),
  created_at bigint NOT NULL,
  refusal jsonb,
  retry_at bigint
);
CREATE INDEX instances_by_deployment ON instances (deployment_id, release);
CREATE TABLE leases (
  name text PRIMARY KEY,
  holder text NOT NULL,
  term bigint NOT NULL,
  expires_at timestamptz NOT NULL,
  placements bigint NOT NULL DEFAULT 0
);
CREATE TABLE replicas (
  name text PRIMARY KEY,
  version text NOT NULL,
  is_leading boolean NOT NULL,
  told_at timestamptz NOT NULL
);`;

/**
 * Role, availability and labels are Swarm's; facts, load and session the agent's; liveness and
 * counters the leader's.
 */
const NODES = `
CREATE TABLE node_metadata (
  node_id text PRIMARY KEY,
  hostname text NOT NULL DEFAULT '',
  address text NOT NULL DEFAULT '',
  role text NOT NULL DEFAULT 'worker',
  availability text NOT NULL DEFAULT 'active',
  swarm_state text NOT NULL DEFAULT 'unknown',
  swarm_version bigint NOT NULL DEFAULT -1,
  labels jsonb NOT NULL DEFAULT '{}',
  engine_labels jsonb NOT NULL DEFAULT '{}',
  os text NOT NULL DEFAULT '',
  architecture text NOT NULL DEFAULT '',
  engine_version text NOT NULL DEFAULT '',
  cpu_millis integer NOT NULL DEFAULT 0,
  memory_bytes bigint NOT NULL DEFAULT 0,
  max_instances integer NOT NULL DEFAULT 0,
  port_from integer NOT NULL DEFAULT 0,
  port_to integer NOT NULL DEFAULT 0,
  session_id text,
  boot_id text,
  report_seq bigint NOT NULL DEFAULT 0,
  reported_full boolean NOT NULL DEFAULT false,
  seen_at bigint,
  cpu_share double precision,
  memory_share double precision,
  liveness text NOT NULL DEFAULT 'unknown',
  last_placed bigint NOT NULL DEFAULT 0,
  assignment_revision bigint NOT NULL DEFAULT 0,
  deployment_count integer NOT NULL DEFAULT 0
);`;

/**
 * Where instances run. `container_id` (not a pod's sandbox) and `port` are the first of
 * \`containers\` and \`ports\`, for people's queries; `digest` is what the minute reconcile
 * compares: the first 64 bits of md5 of core's \`digestText\`. Ports of live locations stand once
 * more in \`location_ports\`, whose key lets a host port have one user.
 */
const STATUS = `
CREATE FUNCTION location_digest(instance_id text, epoch integer, status text, health text, containers jsonb)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
-- In plpgsql its plan is kept; a SQL function that cannot be inlined is planned anew by every statement that writes a row.
DECLARE ids text := '';
BEGIN
  IF containers <> '[]' THEN
    ids := coalesce((SELECT string_agg(c ->> 'id', ',' ORDER BY c ->> 'id' COLLATE "C") FROM jsonb_array_elements(containers) c), '');
  END IF;
  RETURN ('x' || left(md5(instance_id || '/' || epoch || '/' || status || '/' || health || '/' || ids), 16))::bit(64)::bigint;
END $$;
CREATE TABLE deployment_locations (
  instance_id text NOT NULL REFERENCES instances ON DELETE CASCADE,
  epoch integer NOT NULL,
  deployment_id text NOT NULL,
  tenant_id text NOT NULL,
  release integer NOT NULL,
  node_id text NOT NULL,
  desired text NOT NULL CHECK (desired IN ('run', 'retire', 'stop')),
  desired_at bigint NOT NULL,
  status text NOT NULL,
  health_status text NOT NULL,
  containers jsonb NOT NULL DEFAULT '[]',
  ports jsonb NOT NULL DEFAULT '[]',
  message text NOT NULL DEFAULT '',
  changed_at bigint NOT NULL,
  resource_usage jsonb,
  domain text,
  container_id text GENERATED ALWAYS AS (jsonb_path_query_first(containers, '$[*] ? (@.name != "").id') #>> '{}') STORED,
  digest bigint GENERATED ALWAYS AS (location_digest(instance_id, epoch, status, health_status, containers)) STORED,
  port integer GENERATED ALWAYS AS ((ports -> 0 ->> 'hostPort')::integer) STORED,
  PRIMARY KEY (instance_id, epoch)
);
CREATE INDEX deployment_locations_by_deployment ON deployment_locations (deployment_id);
CREATE INDEX deployment_locations_by_node ON deployment_locations (node_id);
CREATE TABLE location_ports (
  node_id text NOT NULL,
  host_port integer NOT NULL,
  protocol text NOT NULL,
  instance_id text NOT NULL,
  epoch integer NOT NULL,
  CONSTRAINT location_ports_one_user PRIMARY KEY (node_id, host_port, protocol)
);
CREATE INDEX location_ports_by_location ON location_ports (instance_id, epoch);`;

/** What happened, for people; and what was answered, for requests that come again. */
const HISTORY = `
CREATE TABLE decisions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at bigint NOT NULL,
  kind text NOT NULL,
  tenant_id text,
  deployment_id text,
  instance_id text,
  node_id text,
  epoch integer,
  sentence text NOT NULL
);
CREATE INDEX decisions_by_deployment ON decisions (deployment_id, id);
CREATE INDEX decisions_by_time ON decisions (at);
CREATE TABLE audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at bigint NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  target text NOT NULL
);
CREATE TABLE idempotency_keys (
  actor text NOT NULL,
  key text NOT NULL,
  request_hash text NOT NULL,
  response jsonb NOT NULL,
  at bigint NOT NULL,
  CONSTRAINT idempotency_keys_once PRIMARY KEY (actor, key)
);
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (at);`;
