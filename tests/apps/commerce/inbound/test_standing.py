from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.commerce.fields import AnyValue, same_value
from syncline.apps.commerce.inbound.standing import standing

STATES = st.fixed_dictionaries(
    {
        "vendor": st.sampled_from(["a", "b", "c"]),
        "tags": st.lists(st.sampled_from(["x", "y"]), unique=True),
        "price": st.sampled_from(["1.00", "2.0", "2.00"]),
    }
)
State = dict[str, AnyValue]


def moved(one: State, other: State) -> list[str]:
    return [name for name in one if not same_value(name, one[name], other[name])]


@given(STATES, st.lists(STATES, min_size=1, max_size=5))
def test_over_any_number_of_changes_it_goes_from_what_was_accepted_to_what_is_there(
    accepted: State, states: list[State]
) -> None:
    earlier, held = dict[str, AnyValue](), accepted
    for now in states:
        found = standing(earlier, held, now, moved(held, now))
        earlier, held = dict(found.before), now
    names = moved(accepted, states[-1])
    assert sorted(found.before) == sorted(names)
    assert all(same_value(name, found.before[name], accepted[name]) for name in names)
    assert all(same_value(name, found.after[name], states[-1][name]) for name in names)
