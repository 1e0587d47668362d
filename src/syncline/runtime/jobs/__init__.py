"""Background work that exists if, and only if, the change that asked for it was committed.

Owns the queue, the worker, schedules, retries, locks and dead letters of jobs, in the database schema `jobs`. The
library underneath (PgQueuer) is known to `store.py` alone. Refuses to know what a job does: apps declare their own.
"""

from syncline.runtime.jobs.dead_letters import DeadLetter, list_dead_letters, replay_dead_letters
from syncline.runtime.jobs.job import Job, JobCancelled, JobContext, JobTakenOver, Schedule
from syncline.runtime.jobs.queue import JobQueue
from syncline.runtime.jobs.retry import RetryPolicy
from syncline.runtime.jobs.worker import Worker

__all__ = [
    "DeadLetter",
    "Job",
    "JobCancelled",
    "JobContext",
    "JobQueue",
    "JobTakenOver",
    "RetryPolicy",
    "Schedule",
    "Worker",
    "list_dead_letters",
    "replay_dead_letters",
]
