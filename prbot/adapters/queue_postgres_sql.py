"""What the queue says to PostgreSQL beside Procrastinate's own statements, and its schema.

Procrastinate's tables, triggers and functions live in a schema of their own. Ours beside
them is one table, `turns`: which group of a priority was served when. A statement of ours
stands where Procrastinate has none that promises the same:

- claiming: Procrastinate's fetch knows no groups, no limit per repository, and lets a
  job that waits for its time hold back every other one under its lock;
- ending and giving back: Procrastinate's act on whoever has the job in hand now; ours
  only while the claim is still the caller's;
- bringing waiting work forward.

All leave jobs as Procrastinate's own statements would: status, worker and attempts.
"""

from __future__ import annotations

from procrastinate.schema import SchemaManager, migrations_path
from psycopg import AsyncConnection, sql

from prbot.errors.store import StoreTooNew

SCHEMA = "prbot_queue"
CHANNEL = "prbot_queue"
"""Told whenever a key or a place is free, or waiting work was brought forward.
Procrastinate itself tells only of new jobs."""
MIGRATING, CLAIMING = 7_021_001, 7_021_002
"""Advisory locks of the database. The numbers mean nothing; they must only differ."""

USE_SCHEMA = f"SET search_path = {SCHEMA}"

CLAIM_ALONE = f"SELECT pg_advisory_xact_lock({CLAIMING})"
"""One claim at a time, or two would both see the last free place of a repository."""

_CLAIMABLE = """
WITH busy AS (
    SELECT lock, task_name, args->>'repo' AS repo FROM procrastinate_jobs WHERE status = 'doing'
), crowded AS (
    SELECT repo FROM busy WHERE task_name = 'perform' AND repo <> ''
    GROUP BY repo HAVING count(*) >= %(limit)s::bigint
), full_house AS (
    SELECT count(*) >= %(total)s::bigint AS is_full FROM busy WHERE task_name = 'perform'
), claimable AS (
    SELECT job.id FROM procrastinate_jobs job
    WHERE job.status = 'todo' AND job.priority = ANY(%(among)s)
    AND NOT EXISTS (SELECT FROM busy WHERE busy.lock = job.lock)
    AND NOT (job.task_name = 'perform'
             AND EXISTS (SELECT FROM full_house WHERE is_full))
    AND NOT (job.task_name = 'perform'
             AND EXISTS (SELECT FROM crowded WHERE crowded.repo = job.args->>'repo'))
)
"""

CLAIM = f"""
{_CLAIMABLE}, best AS (
    SELECT job.id FROM procrastinate_jobs job JOIN claimable USING (id)
    LEFT JOIN turns ON turns.priority = job.priority AND turns.name = job.args->>'group'
    WHERE job.status = 'todo'
    AND (job.scheduled_at IS NULL OR job.scheduled_at <= %(now)s)
    ORDER BY job.priority DESC, coalesce(turns.turn, 0), job.id
    LIMIT 1 FOR UPDATE OF job SKIP LOCKED
)
UPDATE procrastinate_jobs job SET status = 'doing', worker_id = %(worker)s
FROM best WHERE job.id = best.id
RETURNING job.id, job.task_name, job.priority, job.scheduled_at, job.args
"""  # noqa: S608  # made of this module's own constants

NEXT_READY = f"""
{_CLAIMABLE}
SELECT min(job.scheduled_at) AS ready FROM procrastinate_jobs job JOIN claimable USING (id)
WHERE job.scheduled_at > %(now)s
"""  # noqa: S608  # as above

TAKE_TURN = """
INSERT INTO turns SELECT %(priority)s, %(group)s, coalesce(max(turn), 0) + 1 FROM turns
ON CONFLICT (priority, name) DO UPDATE SET turn = excluded.turn
"""

FORGET_TURN = """
DELETE FROM turns WHERE priority = %(priority)s AND name = %(group)s AND NOT EXISTS (
    SELECT FROM procrastinate_jobs
    WHERE status = 'todo' AND priority = %(priority)s AND args->>'group' = %(group)s
)
"""

CALL = f"SELECT pg_notify('{CHANNEL}', '')"

END = f"""
WITH ended AS (
    DELETE FROM procrastinate_jobs
    WHERE id = %(id)s AND status = 'doing' AND worker_id = %(holder)s
)
SELECT pg_notify('{CHANNEL}', '')
"""  # noqa: S608  # as above

BRING_FORWARD = f"""
WITH forward AS (
    UPDATE procrastinate_jobs SET priority = greatest(priority, %(priority)s),
        scheduled_at = CASE WHEN scheduled_at IS NULL OR %(at)s::timestamptz IS NULL THEN NULL
                            ELSE least(scheduled_at, %(at)s) END
    WHERE queueing_lock = %(work)s AND status = 'todo' RETURNING id
)
SELECT pg_notify('{CHANNEL}', '') FROM forward
"""  # noqa: S608  # as above


def _wait_again(whose: str) -> str:
    """Those in hand wait again, or go, where the same work waits already."""
    return f"""
WITH mine AS (
    SELECT id, EXISTS (
        SELECT FROM procrastinate_jobs twin
        WHERE twin.status = 'todo' AND twin.queueing_lock = job.queueing_lock
    ) AS twice
    FROM procrastinate_jobs job WHERE status = 'doing' AND {whose} FOR UPDATE
), gone AS (
    DELETE FROM procrastinate_jobs job USING mine WHERE job.id = mine.id AND mine.twice
), back AS (
    UPDATE procrastinate_jobs job
    SET status = 'todo', worker_id = NULL, attempts = attempts + 1, scheduled_at = %(at)s
    FROM mine WHERE job.id = mine.id AND NOT mine.twice
)
SELECT pg_notify('{CHANNEL}', '') FROM mine LIMIT 1
"""  # noqa: S608  # as above


GIVE_BACK = _wait_again("id = %(id)s AND worker_id = %(holder)s")
GIVE_BACK_LOST = _wait_again("worker_id IS NULL")
"""Procrastinate forgets a worker that is dead or has left; its jobs name none then."""
GIVE_BACK_UNHEARD = _wait_again("worker_id = %(worker)s AND id <> ALL(%(held)s)")
"""Claimed, and the answer was lost on its way."""

KNOWN = """
SELECT task_name, args->>'subject' AS subject FROM procrastinate_jobs
WHERE status IN ('todo', 'doing')
"""

HEARTBEAT = """
UPDATE procrastinate_workers worker SET last_heartbeat = now()
FROM procrastinate_workers before WHERE worker.id = %(worker)s AND before.id = worker.id
RETURNING extract(epoch FROM now() - before.last_heartbeat)::float AS since
"""
"""And how many seconds the last one is ago."""


async def migrate(connection: AsyncConnection) -> None:
    """Bring the schema up to this Procrastinate, all or nothing, once however many start
    together. Raises StoreTooNew when a newer one has been here."""
    async with connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({MIGRATING})")
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        await connection.execute(f"SET LOCAL search_path = {SCHEMA}")
        await connection.execute("CREATE TABLE IF NOT EXISTS applied (name text PRIMARY KEY)")
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS turns (priority int, name text, turn bigint NOT NULL,"
            " PRIMARY KEY (priority, name))"
        )
        await _apply(connection)


async def _apply(connection: AsyncConnection) -> None:
    files = {file.name: file for file in sorted(migrations_path.glob("*.sql"))}
    cursor = await connection.execute("SELECT name FROM applied ORDER BY name")
    applied = [row[0] for row in await cursor.fetchall()]
    unknown = [name for name in applied if name not in files]
    if unknown:
        raise StoreTooNew(f"schema {SCHEMA}", unknown[-1], max(files))
    missing = [name for name in files if name not in applied]
    if not applied:  # its whole schema says what all the steps together would
        await connection.execute(SchemaManager.get_schema())
    else:
        for name in missing:
            await connection.execute(sql.SQL(files[name].read_text()))
    for name in missing:
        await connection.execute("INSERT INTO applied VALUES (%s)", (name,))
