from datetime import timedelta

import pytest

from syncline.kernel.errors import Fatal, Retriable, Skippable
from syncline.runtime.connect.connector import ApiVersion, Auth, Connector
from syncline.runtime.connect.errors import ErrorTable, Rule, Throttled, UnknownVersion, VendorTrouble

TABLE = ErrorTable(
    {
        429: Rule(Throttled, "slower", wait=timedelta(seconds=2)),
        500: Rule(VendorTrouble, "ill"),
        "GONE": Rule(Skippable, "{what} is gone"),
    },
    otherwise=Rule(Fatal, "unknown {code}"),
)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(429, Throttled), (500, VendorTrouble), (503, VendorTrouble), ("GONE", Skippable), (418, Fatal), (None, Fatal)],
)
def test_code_decides_the_outcome(code: int | str | None, outcome: type[Exception]) -> None:
    assert type(TABLE.outcome(code, what="it")) is outcome


def test_sentence_is_filled_in_and_detail_kept_apart() -> None:
    error = TABLE.outcome("GONE", what="Product 7", detail="404 from upstream")
    assert (error.sentence, error.detail, error.vendor_code) == ("Product 7 is gone", "404 from upstream", "GONE")


def test_vendors_wait_goes_before_the_tables() -> None:
    told, table = TABLE.outcome(429, wait=timedelta(seconds=9)), TABLE.outcome(429)
    assert isinstance(told, Retriable)
    assert isinstance(table, Retriable)
    assert (told.wait, table.wait) == (timedelta(seconds=9), timedelta(seconds=2))


def test_unknown_version_names_those_there_are() -> None:
    connector = Connector("acme", object, Auth("key", ()), (), (), (ApiVersion("v1"), ApiVersion("v2")), ())
    assert connector.version("v2").name == "v2"
    with pytest.raises(UnknownVersion, match="use one of v1, v2"):
        connector.version("v9")
