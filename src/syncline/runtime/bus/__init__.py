"""Facts that apps announce to each other: written with the change they tell of, delivered at least once, applied once.

Owns the outbox, the relay to local handlers, the inbox, retries, dead letters and replay, in the database schema `bus`.
Refuses to carry commands and requests: those are calls of a contract, or jobs.
"""

from syncline.runtime.bus.dead_letters import DeadLetter, list_dead_letters, replay_dead_letters
from syncline.runtime.bus.event import Envelope, Event, name_of
from syncline.runtime.bus.handler import Handler, HandlerContext
from syncline.runtime.bus.outbox import publish, publish_many
from syncline.runtime.bus.relay import Relay
from syncline.runtime.bus.replay import EventFilter, replay
from syncline.runtime.bus.transport import LocalTransport, Transport

__all__ = [
    "DeadLetter",
    "Envelope",
    "Event",
    "EventFilter",
    "Handler",
    "HandlerContext",
    "LocalTransport",
    "Relay",
    "Transport",
    "list_dead_letters",
    "name_of",
    "publish",
    "publish_many",
    "replay",
    "replay_dead_letters",
]
