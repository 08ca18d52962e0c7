import { sql, type Kysely } from "kysely";

/**
 * What the database keeps true by itself, whoever writes: the users of host ports and the number of live locations of
 * each node follow `deployment_locations`, even when a person edits it by hand; a tenant's quota holds against
 * requests that come at the same time; a domain that nothing routes any more is free.
 */
export async function bookkeeping(db: Kysely<unknown>): Promise<void> {
  for (const statement of [LIVE, PORTS_AND_COUNTS, QUOTA, DOMAINS]) await sql.raw(statement).execute(db);
}

/** The same as core's `isLive`. */
const LIVE = `
CREATE FUNCTION is_live(status text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT status NOT IN ('stopped', 'failed', 'lost') $$;`;

/** One statement each for ports and counts, however many rows a statement changed. */
const PORTS_AND_COUNTS = `
CREATE FUNCTION locations_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO location_ports (node_id, host_port, protocol, instance_id, epoch)
    SELECT l.node_id, (p ->> 'hostPort')::integer, p ->> 'protocol', l.instance_id, l.epoch
    FROM added l, jsonb_array_elements(l.ports) p WHERE is_live(l.status);
  UPDATE node_metadata n SET deployment_count = n.deployment_count + c.number
    FROM (SELECT node_id, count(*) AS number FROM added WHERE is_live(status) GROUP BY node_id) c
    WHERE n.node_id = c.node_id;
  RETURN NULL;
END $$;
CREATE FUNCTION locations_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM location_ports p USING removed l WHERE p.instance_id = l.instance_id AND p.epoch = l.epoch;
  UPDATE node_metadata n SET deployment_count = n.deployment_count - c.number
    FROM (SELECT node_id, count(*) AS number FROM removed WHERE is_live(status) GROUP BY node_id) c
    WHERE n.node_id = c.node_id;
  RETURN NULL;
END $$;
CREATE FUNCTION locations_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM added a JOIN removed r USING (instance_id, epoch) WHERE is_live(a.status) <> is_live(r.status)) THEN
    RETURN NULL;
  END IF;
  DELETE FROM location_ports p USING added l
    WHERE p.instance_id = l.instance_id AND p.epoch = l.epoch AND NOT is_live(l.status);
  INSERT INTO location_ports (node_id, host_port, protocol, instance_id, epoch)
    SELECT l.node_id, (p ->> 'hostPort')::integer, p ->> 'protocol', l.instance_id, l.epoch
    FROM added l JOIN removed r USING (instance_id, epoch), jsonb_array_elements(l.ports) p
    WHERE is_live(l.status) AND NOT is_live(r.status);
  UPDATE node_metadata n SET deployment_count = n.deployment_count + c.number
    FROM (SELECT a.node_id, sum(is_live(a.status)::integer - is_live(r.status)::integer) AS number
          FROM added a JOIN removed r USING (instance_id, epoch) GROUP BY a.node_id) c
    WHERE n.node_id = c.node_id AND c.number <> 0;
  RETURN NULL;
END $$;
CREATE TRIGGER locations_added AFTER INSERT ON deployment_locations
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION locations_added();
CREATE TRIGGER locations_removed AFTER DELETE ON deployment_locations
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION locations_removed();
CREATE TRIGGER locations_changed AFTER UPDATE ON deployment_locations
  REFERENCING NEW TABLE AS added OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION locations_changed();`;

/** The tenant's row is locked before its holdings are summed, so that two requests cannot both take the last place. */
const QUOTA = `
CREATE FUNCTION quota_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE quota tenants; held record;
BEGIN
  SELECT * INTO quota FROM tenants WHERE id = NEW.tenant_id;
  IF NEW.desired <> 'run' OR num_nonnulls(quota.quota_instances, quota.quota_cpu_millis, quota.quota_memory_bytes) = 0 THEN
    RETURN NULL;
  END IF;
  PERFORM FROM tenants WHERE id = NEW.tenant_id FOR NO KEY UPDATE;
  SELECT coalesce(sum(d.replicas), 0) AS instances, coalesce(sum(d.replicas * r.cpu_millis), 0) AS cpu_millis,
      coalesce(sum(d.replicas * r.memory_bytes), 0) AS memory_bytes INTO held
    FROM deployments d JOIN releases r ON r.deployment_id = d.id AND r.number = d.release
    WHERE d.tenant_id = NEW.tenant_id AND d.desired = 'run';
  IF held.instances > quota.quota_instances OR held.cpu_millis > quota.quota_cpu_millis OR held.memory_bytes > quota.quota_memory_bytes THEN
    RAISE EXCEPTION USING ERRCODE = 'SKQTA', MESSAGE = json_build_object('instances', held.instances,
      'cpuMillis', held.cpu_millis, 'memoryBytes', held.memory_bytes)::text;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER quota_holds AFTER INSERT OR UPDATE OF replicas, release, desired ON deployments
  FOR EACH ROW EXECUTE FUNCTION quota_holds();`;

const DOMAINS = `
CREATE FUNCTION domains_freed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM domains d USING removed r
    WHERE d.domain = r.domain AND NOT EXISTS (SELECT FROM deployment_routing x WHERE x.domain = d.domain);
  RETURN NULL;
END $$;
CREATE TRIGGER domains_freed AFTER DELETE ON deployment_routing
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION domains_freed();
CREATE TRIGGER domains_freed_by_change AFTER UPDATE ON deployment_routing
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION domains_freed();`;
