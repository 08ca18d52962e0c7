/**
 * The routes of an older release go with its last location.
 *
 * A host port whose user's record goes waits before anybody else gets it, but for its own
 * deployment. The commit of a plan says until when (`skep.ports_free_at`); after a deletion by hand
 * it is 5 minutes. What has waited long enough goes by the commit's own time (`skep.now`).
 *
 * The users of host ports and the number of live locations of each node follow
 * `deployment_locations`, even when a person edits it by hand. One statement each for ports and
 * counts, however many rows a statement changed.
 */
export const LOCATION_BOOKKEEPING = `
CREATE OR REPLACE FUNCTION locations_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM added l, jsonb_array_elements(l.ports) p, released_ports r
      WHERE r.node_id = l.node_id AND r.host_port = (p ->> 'hostPort')::integer AND r.protocol = p ->> 'protocol'
        AND r.free_at > l.desired_at AND r.deployment_id <> l.deployment_id) THEN
    RAISE unique_violation USING CONSTRAINT = 'released_ports_wait', MESSAGE = 'a host port was released too lately';
  END IF;
  INSERT INTO location_ports (node_id, host_port, protocol, instance_id, epoch)
    SELECT l.node_id, (p ->> 'hostPort')::integer, p ->> 'protocol', l.instance_id, l.epoch
    FROM added l, jsonb_array_elements(l.ports) p WHERE is_live(l.status);
  UPDATE node_metadata n SET deployment_count = n.deployment_count + c.number
    FROM (SELECT node_id, count(*) AS number FROM added WHERE is_live(status) GROUP BY node_id) c
    WHERE n.node_id = c.node_id;
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION locations_removed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE now_ms bigint;
BEGIN
  DELETE FROM location_ports p USING removed l WHERE p.instance_id = l.instance_id AND p.epoch = l.epoch;
  DELETE FROM deployment_routing r USING (SELECT DISTINCT deployment_id, release FROM removed) l
    WHERE r.deployment_id = l.deployment_id AND r.release = l.release
      AND NOT EXISTS (SELECT FROM deployments d WHERE d.id = r.deployment_id AND d.release = r.release)
      AND NOT EXISTS (SELECT FROM deployment_locations o
        WHERE o.deployment_id = r.deployment_id AND o.release = r.release);
  now_ms := coalesce(nullif(current_setting('skep.now', true), '')::bigint,
    (extract(epoch FROM clock_timestamp()) * 1000)::bigint);
  DELETE FROM released_ports r WHERE r.free_at <= now_ms AND r.node_id IN (SELECT node_id FROM removed);
  INSERT INTO released_ports (node_id, host_port, protocol, deployment_id, free_at)
    SELECT DISTINCT ON (1, 2, 3) l.node_id, (p ->> 'hostPort')::integer, p ->> 'protocol', l.deployment_id,
      coalesce(nullif(current_setting('skep.ports_free_at', true), '')::bigint, now_ms + 300000)
    FROM removed l, jsonb_array_elements(l.ports) p
    ON CONFLICT ON CONSTRAINT released_ports_once DO UPDATE
      SET deployment_id = excluded.deployment_id, free_at = greatest(released_ports.free_at, excluded.free_at);
  UPDATE node_metadata n SET deployment_count = n.deployment_count - c.number
    FROM (SELECT node_id, count(*) AS number FROM removed WHERE is_live(status) GROUP BY node_id) c
    WHERE n.node_id = c.node_id;
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION locations_changed() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE OR REPLACE TRIGGER locations_added AFTER INSERT ON deployment_locations
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION locations_added();
CREATE OR REPLACE TRIGGER locations_removed AFTER DELETE ON deployment_locations
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION locations_removed();
CREATE OR REPLACE TRIGGER locations_changed AFTER UPDATE ON deployment_locations
  REFERENCING NEW TABLE AS added OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION locations_changed();`;
