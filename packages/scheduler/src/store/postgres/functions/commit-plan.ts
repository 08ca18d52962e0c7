/**
 * The commit of a plan as one call, so that a placement costs one round trip and one flush to disk.
 * It is written in the database because each of its steps needs the count of the one before.
 *
 * `plan` maps each kind of change that it has to the array of its changes, as
 * `queries/commit-plan.ts` builds it. SQLSTATE SKSTL says that the plan is stale. The lease's row
 * is locked first, so that no other leader can begin in between; nodes come next and in order, as
 * in every statement that touches locations, so that writers wait for each other in turn and never
 * in a circle.
 */
export const COMMIT_PLAN = `
CREATE OR REPLACE FUNCTION commit_plan_2(plan jsonb, leader_term bigint, leader text, at bigint)
RETURNS TABLE (node_id text, assignment_revision bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE touched text[]; wanted integer; done integer;
BEGIN
  UPDATE leases SET placements = greatest(placements,
      (SELECT max((p ->> 'placement')::bigint) FROM jsonb_array_elements(plan -> 'place') p))
    WHERE name = 'scheduler' AND term = leader_term AND holder = leader AND expires_at > clock_timestamp();
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SKSTL', MESSAGE = 'the lease of term ' || leader_term || ' has ended';
  END IF;

  touched := ARRAY(SELECT DISTINCT p ->> 'nodeId' FROM jsonb_array_elements(plan -> 'place') p
    UNION SELECT p -> 'volume' ->> 'nodeId'
      FROM jsonb_array_elements(coalesce(plan -> 'create-volume', '[]') || coalesce(plan -> 'leave-volume', '[]')) p);
  IF plan ?| '{stop-instance,stop,retire,lose,forget-location}' THEN
    touched := touched || ARRAY(
      SELECT l.node_id FROM deployment_locations l
        WHERE l.instance_id IN (SELECT p ->> 'instanceId' FROM jsonb_array_elements(plan -> 'stop-instance') p)
      UNION
      SELECT l.node_id FROM deployment_locations l JOIN jsonb_array_elements(
          coalesce(plan -> 'stop', '[]') || coalesce(plan -> 'retire', '[]') || coalesce(plan -> 'lose', '[]')
          || coalesce(plan -> 'forget-location', '[]')) p
        ON l.instance_id = p ->> 'instanceId' AND l.epoch = (p ->> 'epoch')::integer);
  END IF;
  PERFORM FROM node_metadata WHERE node_id = ANY (touched) ORDER BY node_id FOR NO KEY UPDATE;

  wanted := jsonb_array_length(plan -> 'basis' -> 'locations');
  IF wanted > 0 THEN
    SELECT count(*) INTO done FROM jsonb_to_recordset(plan -> 'basis' -> 'locations')
        AS b("instanceId" text, epoch integer, state text, desired text)
      JOIN deployment_locations l ON l.instance_id = b."instanceId" AND l.epoch = b.epoch
        AND l.status = b.state AND l.desired = b.desired;
    IF done <> wanted THEN
      RAISE EXCEPTION USING ERRCODE = 'SKSTL', MESSAGE = 'a location has gone, or got another state meanwhile';
    END IF;
  END IF;
  wanted := jsonb_array_length(plan -> 'basis' -> 'deployments');
  IF wanted > 0 THEN
    SELECT count(*) INTO done FROM jsonb_to_recordset(plan -> 'basis' -> 'deployments')
        AS b("deploymentId" text, "resourceVersion" integer)
      JOIN deployments d ON d.id = b."deploymentId" AND d.resource_version = b."resourceVersion";
    IF done <> wanted THEN
      RAISE EXCEPTION USING ERRCODE = 'SKSTL', MESSAGE = 'a deployment has gone, or was changed meanwhile';
    END IF;
  END IF;

  IF plan ? 'create-instance' THEN
    wanted := (SELECT count(DISTINCT p -> 'instance' ->> 'deploymentId') FROM jsonb_array_elements(plan -> 'create-instance') p);
    UPDATE deployments d SET next_serial = c.last + 1
      FROM (SELECT p -> 'instance' ->> 'deploymentId' AS id, min((p ->> 'serial')::integer) AS first, max((p ->> 'serial')::integer) AS last
            FROM jsonb_array_elements(plan -> 'create-instance') p GROUP BY 1) c
      WHERE d.id = c.id AND d.next_serial = c.first;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> wanted THEN
      RAISE EXCEPTION USING ERRCODE = 'SKSTL', MESSAGE = 'a deployment has gone, or got other instances meanwhile';
    END IF;
    INSERT INTO instances (id, tenant_id, deployment_id, release, slot, epoch, desired, created_at, refusal, retry_at)
      SELECT i.id, i."tenantId", i."deploymentId", i.release, i.slot, i.epoch, i.desired, i."createdAt", i.refusal, i."retryAt"
      FROM jsonb_array_elements(plan -> 'create-instance') p, jsonb_to_record(p -> 'instance') AS i(id text, "tenantId" text,
        "deploymentId" text, release integer, slot integer, epoch integer, desired text, "createdAt" bigint, refusal jsonb, "retryAt" bigint);
  END IF;
  IF plan ? 'stop-instance' THEN
    UPDATE instances i SET desired = 'stop' FROM jsonb_array_elements(plan -> 'stop-instance') p WHERE i.id = p ->> 'instanceId';
    UPDATE deployment_locations l SET desired = 'stop', desired_at = at
      FROM jsonb_array_elements(plan -> 'stop-instance') p WHERE l.instance_id = p ->> 'instanceId' AND l.desired <> 'stop';
  END IF;
  IF plan ? 'lose' THEN
    UPDATE deployment_locations l SET status = 'lost', changed_at = at, message = p ->> 'because'
      FROM jsonb_array_elements(plan -> 'lose') p WHERE l.instance_id = p ->> 'instanceId' AND l.epoch = (p ->> 'epoch')::integer;
  END IF;
  IF plan ?| '{retire,stop}' THEN
    UPDATE deployment_locations l SET desired = p ->> 'kind', desired_at = at
      FROM jsonb_array_elements(coalesce(plan -> 'retire', '[]') || coalesce(plan -> 'stop', '[]')) p
      WHERE l.instance_id = p ->> 'instanceId' AND l.epoch = (p ->> 'epoch')::integer;
  END IF;
  IF plan ?| '{forget-location,forget-instance,forget-deployment}' THEN
    PERFORM set_config('skep.now', at::text, true);
    PERFORM set_config('skep.ports_free_at',
      (SELECT max(p ->> 'portsFreeAt') FROM jsonb_array_elements(plan -> 'forget-location') p), true);
    DELETE FROM deployment_locations l USING jsonb_array_elements(plan -> 'forget-location') p
      WHERE l.instance_id = p ->> 'instanceId' AND l.epoch = (p ->> 'epoch')::integer;
    -- Both take with them what stands below: what came there meanwhile was not decided on.
    DELETE FROM instances i USING jsonb_array_elements(plan -> 'forget-instance') p WHERE i.id = p ->> 'instanceId'
      AND NOT EXISTS (SELECT FROM deployment_locations l WHERE l.instance_id = i.id);
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> coalesce(jsonb_array_length(plan -> 'forget-instance'), 0) THEN
      RAISE EXCEPTION USING ERRCODE = 'SKSTL', MESSAGE = 'an instance has gone, or got a location meanwhile';
    END IF;
    DELETE FROM deployments d USING jsonb_array_elements(plan -> 'forget-deployment') p WHERE d.id = p ->> 'deploymentId'
      AND d.desired = 'deleted' AND NOT EXISTS (SELECT FROM instances i WHERE i.deployment_id = d.id);
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> coalesce(jsonb_array_length(plan -> 'forget-deployment'), 0) THEN
      RAISE EXCEPTION USING ERRCODE = 'SKSTL', MESSAGE = 'a deployment has gone, is wanted, or got an instance meanwhile';
    END IF;
  END IF;
  IF plan ? 'place' THEN
    UPDATE instances i SET epoch = i.epoch + 1, refusal = NULL, retry_at = NULL
      FROM jsonb_array_elements(plan -> 'place') p
      WHERE i.id = p ->> 'instanceId' AND i.epoch = (p ->> 'epoch')::integer - 1;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> jsonb_array_length(plan -> 'place') THEN
      RAISE EXCEPTION USING ERRCODE = 'SKSTL', MESSAGE = 'an instance was placed or forgotten meanwhile';
    END IF;
    INSERT INTO deployment_locations (instance_id, epoch, deployment_id, tenant_id, release, node_id, desired, desired_at,
        status, health_status, ports, changed_at, domain)
      SELECT i.id, i.epoch, i.deployment_id, i.tenant_id, i.release, p."nodeId", 'run', at, 'assigned', 'none', p.ports, at,
        (SELECT r.domain FROM deployment_routing r WHERE r.deployment_id = i.deployment_id ORDER BY r.router LIMIT 1)
      FROM jsonb_to_recordset(plan -> 'place') AS p("instanceId" text, "nodeId" text, ports jsonb) JOIN instances i ON i.id = p."instanceId";
  END IF;
  IF plan ? 'create-volume' THEN
    INSERT INTO volumes (id, tenant_id, owner, name, serial, node_id, created_at, used_at, state)
      SELECT v.id, v."tenantId", v.owner, v.name, v.serial, v."nodeId", v."createdAt", v."usedAt", v.state
      FROM jsonb_array_elements(plan -> 'create-volume') p, jsonb_to_record(p -> 'volume') AS v(id text, "tenantId" text,
        owner text, name text, serial bigint, "nodeId" text, "createdAt" bigint, "usedAt" bigint, state text);
  END IF;
  IF plan ? 'leave-volume' THEN
    UPDATE volumes v SET state = 'left' FROM jsonb_array_elements(plan -> 'leave-volume') p
      WHERE v.id = p -> 'volume' ->> 'id' AND v.state = 'kept';
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> jsonb_array_length(plan -> 'leave-volume') THEN
      RAISE EXCEPTION USING ERRCODE = 'SKSTL', MESSAGE = 'a volume has gone, or was given up meanwhile';
    END IF;
  END IF;
  IF plan ?| '{refuse,defer}' THEN
    UPDATE instances i SET refusal = p -> 'refusal' FROM jsonb_array_elements(plan -> 'refuse') p WHERE i.id = p ->> 'instanceId';
    UPDATE instances i SET retry_at = (p ->> 'retryAt')::bigint FROM jsonb_array_elements(plan -> 'defer') p WHERE i.id = p ->> 'instanceId';
  END IF;

  PERFORM set_config('skep.stamp', coalesce(plan ->> 'stamp', ''), true);
  RETURN QUERY UPDATE node_metadata n SET assignment_revision = n.assignment_revision + 1,
      last_placed = greatest(n.last_placed,
        (SELECT max((p ->> 'placement')::bigint) FROM jsonb_array_elements(plan -> 'place') p WHERE p ->> 'nodeId' = n.node_id))
    WHERE n.node_id = ANY (touched) RETURNING n.node_id, n.assignment_revision;
END $$;`;
