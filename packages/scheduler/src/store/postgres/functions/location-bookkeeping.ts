/**
 * The users of host ports and the number of live locations of each node follow `deployment_locations`,
 * even when a person edits it by hand. One statement each for ports and counts, however many rows a
 * statement changed.
 */
export const LOCATION_BOOKKEEPING = `
CREATE OR REPLACE FUNCTION locations_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO location_ports (node_id, host_port, protocol, instance_id, epoch)
    SELECT l.node_id, (p ->> 'hostPort')::integer, p ->> 'protocol', l.instance_id, l.epoch
    FROM added l, jsonb_array_elements(l.ports) p WHERE is_live(l.status);
  UPDATE node_metadata n SET deployment_count = n.deployment_count + c.number
    FROM (SELECT node_id, count(*) AS number FROM added WHERE is_live(status) GROUP BY node_id) c
    WHERE n.node_id = c.node_id;
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION locations_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM location_ports p USING removed l WHERE p.instance_id = l.instance_id AND p.epoch = l.epoch;
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
