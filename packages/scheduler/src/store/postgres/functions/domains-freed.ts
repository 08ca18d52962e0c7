/** A domain that nothing routes any more is free, and kept for its tenant from then on. */
export const DOMAINS_FREED = `
CREATE OR REPLACE FUNCTION domains_freed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE domains d SET freed_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint
    FROM (SELECT DISTINCT domain FROM removed) r
    WHERE d.domain = r.domain AND d.freed_at IS NULL
      AND NOT EXISTS (SELECT FROM deployment_routing x WHERE x.domain = d.domain);
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER domains_freed AFTER DELETE ON deployment_routing
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION domains_freed();
CREATE OR REPLACE TRIGGER domains_freed_by_change AFTER UPDATE ON deployment_routing
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION domains_freed();`;
