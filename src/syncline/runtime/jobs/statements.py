"""SQL on PgQueuer's tables, for what PgQueuer does not do or does by the job's id alone. Used by `store.py` only.

An attempt is ended `WHERE id AND queue_manager_id AND attempts`: the job, the worker, and which attempt of it.
"""

from __future__ import annotations

from psycopg.sql import SQL

# Walks the lanes by index instead of scanning the queue: each step jumps to the next entrypoint.
HEADS = SQL("""
WITH RECURSIVE lane (name) AS (
    SELECT min(entrypoint) FROM jobs.pgqueuer WHERE status = 'queued'
    UNION ALL
    SELECT (SELECT min(entrypoint) FROM jobs.pgqueuer WHERE status = 'queued' AND entrypoint > lane.name)
    FROM lane WHERE lane.name IS NOT NULL
)
SELECT lane.name AS lane, head.priority, head.id,
       extract(epoch FROM clock_timestamp() - head.execute_after)::float AS waited
FROM lane
CROSS JOIN LATERAL (
    SELECT priority, id, execute_after FROM jobs.pgqueuer
    WHERE status = 'queued' AND entrypoint = lane.name AND execute_after < now()
    ORDER BY priority DESC, id LIMIT 1
) head
WHERE split_part(lane.name, '.', 1) = ANY (%(apps)s)
  AND NOT EXISTS (
    SELECT FROM jobs.pgqueuer busy
    WHERE busy.entrypoint = lane.name AND busy.status = 'picked' AND busy.slot IS NOT NULL
  )
""")

DROP_KEYS = SQL("UPDATE jobs.pgqueuer SET dedupe_key = NULL WHERE id = ANY (%(ids)s) AND dedupe_key IS NOT NULL")

BEAT = SQL("""
WITH mine AS (
    SELECT id, attempts, coalesce((headers ->> 'cancel')::boolean, false) AS cancel FROM jobs.pgqueuer
    WHERE id = ANY (%(ids)s) AND queue_manager_id = %(worker)s AND status = 'picked'
), beating AS (
    UPDATE jobs.pgqueuer SET heartbeat = clock_timestamp()
    WHERE id IN (
        SELECT id FROM jobs.pgqueuer
        WHERE id IN (SELECT id FROM mine) AND queue_manager_id = %(worker)s AND status = 'picked'
        FOR UPDATE SKIP LOCKED
    )
)
SELECT id, attempts, cancel FROM mine
""")

CATCH_UP = SQL("SELECT jobs.catch_up()")

FREE_DEAD = SQL("""
WITH dead AS (
    SELECT id FROM jobs.pgqueuer
    WHERE status = 'picked' AND heartbeat < clock_timestamp() - %(lease)s
      AND clock_timestamp() - pg_postmaster_start_time() > %(lease)s
    FOR UPDATE SKIP LOCKED
), freed AS (
    UPDATE jobs.pgqueuer queue
    SET status = 'queued', queue_manager_id = NULL, slot = NULL, attempts = attempts + 1,
        execute_after = now() - interval '1 microsecond', updated = now(),
        headers = coalesce(queue.headers, '{}')
            || jsonb_build_object('deaths', coalesce((queue.headers ->> 'deaths')::int, 0) + 1)
    FROM dead WHERE queue.id = dead.id
    RETURNING queue.id, queue.entrypoint, queue.priority, queue.headers ->> 'job' AS job
), logged AS (
    INSERT INTO jobs.pgqueuer_log (job_id, status, entrypoint, priority)
    SELECT id, 'queued', entrypoint, priority FROM freed
)
SELECT id, job FROM freed
""")

FINISH = SQL("""
WITH ended AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(workers)s::uuid[], %(attempts)s::int[], %(statuses)s::text[])
        AS ended (id, worker, attempts, status)
), gone AS (
    DELETE FROM jobs.pgqueuer queue USING ended
    WHERE queue.id = ended.id AND queue.queue_manager_id = ended.worker AND queue.attempts = ended.attempts
      AND queue.status = 'picked'
    RETURNING queue.id, queue.entrypoint, queue.priority, ended.status
)
INSERT INTO jobs.pgqueuer_log (job_id, status, entrypoint, priority)
SELECT id, status::jobs.pgqueuer_status, entrypoint, priority FROM gone
RETURNING job_id
""")

PUT_BACK = SQL("""
WITH waiting AS (
    UPDATE jobs.pgqueuer
    SET status = 'queued', queue_manager_id = NULL, slot = NULL, attempts = attempts + %(step)s,
        execute_after = now() + %(wait)s, updated = now()
    WHERE id = %(id)s AND queue_manager_id = %(worker)s AND attempts = %(attempts)s AND status = 'picked'
    RETURNING id, entrypoint, priority
)
INSERT INTO jobs.pgqueuer_log (job_id, status, entrypoint, priority, traceback)
SELECT id, 'queued', entrypoint, priority, %(traceback)s::jsonb FROM waiting
RETURNING job_id
""")

BURY = SQL("""
WITH gone AS (
    DELETE FROM jobs.pgqueuer
    WHERE id = %(id)s AND queue_manager_id = %(worker)s AND attempts = %(attempts)s AND status = 'picked'
    RETURNING id, entrypoint, priority, payload, headers, created
), logged AS (
    INSERT INTO jobs.pgqueuer_log (job_id, status, entrypoint, priority, traceback)
    SELECT id, 'exception', entrypoint, priority, %(traceback)s::jsonb FROM gone
)
INSERT INTO jobs.dead_letter
    (id, job_id, job, tenant, payload, priority, attempts, reason, first_at, last_at, correlation)
SELECT %(letter)s, id, headers ->> 'job', nullif(headers ->> 'tenant', '')::uuid,
       convert_from(payload, 'UTF8')::json, priority, %(attempts)s + %(step)s, %(reason)s, created, now(),
       headers ->> 'correlation'
FROM gone
RETURNING id
""")

HOLD = SQL("""
SELECT id, coalesce(headers, '{}') ? 'deaths' AS died FROM jobs.pgqueuer
WHERE id = %(id)s AND queue_manager_id = %(worker)s AND attempts = %(attempts)s AND status = 'picked'
FOR UPDATE
""")

REVIVED = SQL("UPDATE jobs.pgqueuer SET headers = headers - 'deaths' WHERE id = ANY (%(ids)s) AND headers ? 'deaths'")

LAG = SQL("""
SELECT count(*) FILTER (WHERE status = 'queued') AS waiting, count(*) FILTER (WHERE status = 'picked') AS running,
       extract(epoch FROM clock_timestamp() - min(execute_after) FILTER (WHERE status = 'queued'))::float AS overdue
FROM jobs.pgqueuer
""")

CANCEL_LOCK = SQL("SELECT id FROM jobs.pgqueuer WHERE id = ANY (%(ids)s) ORDER BY id FOR UPDATE")

CANCEL = SQL("""
WITH chosen AS (
    SELECT id FROM jobs.pgqueuer
    WHERE id = ANY (%(ids)s) AND (%(tenant)s::text IS NULL OR headers ->> 'tenant' = %(tenant)s)
), dropped AS (
    DELETE FROM jobs.pgqueuer WHERE id IN (SELECT id FROM chosen) AND status = 'queued'
    RETURNING id, entrypoint, priority
), told AS (
    UPDATE jobs.pgqueuer SET headers = headers || '{"cancel": true}'
    WHERE id IN (SELECT id FROM chosen) AND status = 'picked'
    RETURNING id
), logged AS (
    INSERT INTO jobs.pgqueuer_log (job_id, status, entrypoint, priority)
    SELECT id, 'canceled', entrypoint, priority FROM dropped
)
SELECT (SELECT count(*) FROM dropped) AS dropped, (SELECT count(*) FROM told) AS told
""")

DEPTH = SQL("""
SELECT headers ->> 'job' AS job, status::text AS status, count(*) AS count,
       extract(epoch FROM clock_timestamp() - min(created))::float AS age
FROM jobs.pgqueuer GROUP BY 1, 2 ORDER BY 1, 2
""")

STATUS = SQL("""
SELECT status::text AS status FROM jobs.pgqueuer WHERE id = %(id)s
UNION ALL
(SELECT status::text FROM jobs.pgqueuer_log WHERE job_id = %(id)s ORDER BY created DESC, id DESC LIMIT 1)
LIMIT 1
""")

FORGET = SQL("""
DELETE FROM jobs.pgqueuer_log WHERE id IN (
    SELECT id FROM jobs.pgqueuer_log WHERE created < now() - %(age)s ORDER BY created LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
""")
