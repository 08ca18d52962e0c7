/**
 * A tenant's quota holds against requests that come at the same time: the tenant's row is locked
 * before its holdings are summed, so that two requests cannot both take the last place. A
 * transaction that has locked the row and has summed by itself says so (`skep.quota_held`): between
 * its statements there may be more than when it ends.
 */
export const QUOTA_HOLDS = `
CREATE OR REPLACE FUNCTION quota_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE quota tenants; held record;
BEGIN
  SELECT * INTO quota FROM tenants WHERE id = NEW.tenant_id;
  IF NEW.desired <> 'run' OR num_nonnulls(quota.quota_instances, quota.quota_cpu_millis, quota.quota_memory_bytes) = 0
      OR current_setting('skep.quota_held', true) = NEW.tenant_id THEN
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
CREATE OR REPLACE TRIGGER quota_holds AFTER INSERT OR UPDATE OF replicas, release, desired ON deployments
  FOR EACH ROW EXECUTE FUNCTION quota_holds();`;
