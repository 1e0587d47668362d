"""Diff, apply and rollback are inverse to each other, whatever the values."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.commerce.contract import ChangeStatus
from syncline.apps.commerce.fields import FIELDS, AnyValue, Kind, Owner, same_value
from syncline.apps.commerce.push.repository import AppliedRow
from syncline.apps.commerce.push.rollback import proposal_of
from syncline.apps.commerce.staging.diff import FieldChange, applied, changed_fields
from syncline.apps.commerce.staging.repository import ChangeRow, Proposal
from syncline.kernel.ids import new_id

PRICED = st.fixed_dictionaries({"options": st.just(["S"]), "price": st.sampled_from(["12.50", "99.99"])})
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.TEXT: st.text(max_size=8),
    Kind.HTML: st.text(max_size=8),
    Kind.MONEY: st.sampled_from(["0.00", "12.50", "99.99"]),
    Kind.DECIMAL: st.sampled_from(["0", "0.5", "3"]),
    Kind.INTEGER: st.integers(-5, 5),
    Kind.BOOLEAN: st.booleans(),
    Kind.CHOICE: st.sampled_from(["active", "draft"]),
    Kind.TAGS: st.lists(st.sampled_from(["a", "b", "c"]), unique=True),
    Kind.MEDIUM: st.fixed_dictionaries({"url": st.sampled_from(["a", "b"]), "alt": st.sampled_from(["", "A"])}),
    Kind.ORDER: st.permutations(["1", "2", "3"]),
    Kind.PRODUCT: st.fixed_dictionaries(
        {
            "title": st.sampled_from(["Shirt", "Mug"]),
            "options": st.just([{"name": "Size", "values": ["S"]}]),
            "variants": st.lists(PRICED, min_size=1, max_size=1),
        }
    ),
}
STATES = st.fixed_dictionaries(
    {
        field.name: st.one_of(st.none(), VALUES[field.kind]) if field.nullable else VALUES[field.kind]
        for field in FIELDS.values()
    }
)
State = dict[str, AnyValue]


def pushed(state: State, wanted: Proposal) -> tuple[State, AppliedRow]:
    """What the store has after the write, and what is kept of it: the values before, as read, and after, as
    answered."""
    changes = [FieldChange(name, wanted.before.get(name), value) for name, value in wanted.after.items()]
    after = applied(state, changes)
    names = list(wanted.after)
    row = ChangeRow(
        id=new_id(),
        batch_id=new_id(),
        store_id=new_id(),
        kind=wanted.kind,
        resource_id=wanted.resource_id,
        location_id=None,
        product_id=wanted.product_id,
        label=wanted.label,
        before=dict(wanted.before),
        after=dict(wanted.after),
        theirs=None,
        status=ChangeStatus.APPLIED,
        attempt=1,
        author="ada",
    )
    return after, AppliedRow(row, {name: state[name] for name in names}, {name: after[name] for name in names})


def proposed(before: State, after: State) -> Proposal:
    changes = changed_fields(before, after)
    return Proposal(
        kind=Owner.PRODUCT.value,
        resource_id=1,
        product_id=1,
        label="Shirt",
        before={change.field: change.before for change in changes},
        after={change.field: change.after for change in changes},
    )


def same(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(same_value(name, one[name], other[name]) for name in one)


@given(STATES, STATES)
def test_a_rollback_brings_back_what_was(before: State, after: State) -> None:
    done, row = pushed(before, proposed(before, after))
    assert same(done, after)
    undone, _ = pushed(done, proposal_of(row))
    assert undone == before


@given(STATES, STATES, st.integers(2, 5))
def test_a_rollback_of_a_rollback_is_the_change_again(before: State, after: State, times: int) -> None:
    states = [before]
    wanted = proposed(before, after)
    for _ in range(2 * times):
        state, row = pushed(states[-1], wanted)
        states.append(state)
        wanted = proposal_of(row)
    assert all(state == before for state in states[::2])
    assert all(state == states[1] for state in states[1::2])


@given(STATES, STATES)
def test_a_rollback_says_what_it_undoes_and_goes_over_what_was_answered(before: State, after: State) -> None:
    _, row = pushed(before, proposed(before, after))
    undo = proposal_of(row)
    assert (undo.reverts_id, undo.before, undo.after) == (row.change.id, row.written, row.restored)
    assert changed_fields(undo.before, undo.after) != [] or not row.change.after
