"""Commerce: mirrors Shopify stores and changes them safely.

Owns: connected stores, the mirror of what each store says, pull runs, staged changes and their review, bulk operations,
pushes with their receipts, rollbacks, reconciliations, schedules. Announces: `ChangesAssigned`, `OperationEnded`,
`PullFinished`, `PushFinished`. Listens to its own `PushFinished`, to settle conflicts by rule.
Refuses to write anything to a store that was not shown as a difference and approved.
"""
