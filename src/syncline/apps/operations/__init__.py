"""Operations: who is told when work ends or fails.

Owns: channels (e-mail, Slack, webhooks), what each is told of, and the deliveries with their receipts. Announces
nothing.
Listens to commerce's `OperationEnded` and `ChangesAssigned`, and outreach's
`EventKeysCollided`, `RoutineWentStale` and `RoutineRecovered`.
Refuses to decide what went wrong: it passes on what the other apps announce.
"""
