"""Outreach: what people were sent and how they answered, each event once, under a key that never changes.

Owns: event keys and `event_source`, namespaces, and what an operator asks of the database over HTTP.
Announces `EventKeysCollided`, `RoutineWentStale` and `RoutineRecovered`. Listens to nothing.
Refuses to know vendors: connectors hand it what they read.
"""
