import gzip
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from syncline.kernel import clock
from syncline.kernel.errors import Fatal
from syncline.runtime.connect.breaker import Breaker, BreakerSettings, BreakerState
from syncline.runtime.connect.client import Call, HttpClient, require_https, retry_after
from syncline.runtime.connect.deadline import Deadline
from syncline.runtime.connect.errors import BreakerOpen, NotProcessed, Throttled, VendorTrouble
from syncline.runtime.connect.redact import Redactor
from syncline.runtime.connect.registry import CallTrace, Registry, shown_name, vendor_of
from syncline.runtime.connect.testing import Handler
from syncline.runtime.observe.correlation import correlated

CALL = Call("Read", "https://vendor.test/things?signature=s3cret", content=b"{}")


def client(handler: Handler, *, traces: list[CallTrace] | None = None, breaker: Breaker | None = None) -> HttpClient:
    return HttpClient(
        "vendor",
        breaker=breaker or Breaker("vendor"),
        redactor=Redactor(["s3cret"]),
        transport=httpx.MockTransport(handler),
        hooks=() if traces is None else (traces.append,),
    )


def text(response: httpx.Response) -> str:
    return response.text


def raising(error: Exception) -> Handler:
    def handler(_request: httpx.Request) -> httpx.Response:
        raise error

    return handler


async def test_answer_is_interpreted_and_compression_undone() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert "gzip" in request.headers["Accept-Encoding"]
        return httpx.Response(200, content=gzip.compress(b"well"), headers={"Content-Encoding": "gzip"})

    async with client(handler) as http:
        assert await http.attempt(CALL, text) == "well"


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow")])
async def test_no_connection_proves_that_nothing_was_done(error: Exception) -> None:
    async with client(raising(error)) as http:
        with pytest.raises(NotProcessed, match="cannot be reached"):
            await http.attempt(CALL, text)


@pytest.mark.parametrize("error", [httpx.ReadTimeout("slow"), httpx.ReadError("reset"), httpx.RemoteProtocolError("x")])
async def test_broken_answer_proves_nothing(error: Exception) -> None:
    async with client(raising(error)) as http:
        with pytest.raises(VendorTrouble) as caught:
            await http.attempt(CALL, text)
    assert not isinstance(caught.value, NotProcessed)


async def test_whole_attempt_is_bounded_by_the_breakers_time_out() -> None:
    async def stream() -> httpx.Response:
        raise AssertionError

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            import asyncio

            await asyncio.sleep(5)
            return await stream()

    breaker = Breaker("vendor", BreakerSettings(timeout=timedelta(milliseconds=20)))
    async with HttpClient("vendor", breaker=breaker, transport=Slow()) as http:
        with pytest.raises(VendorTrouble, match="did not answer in time"):
            await http.attempt(CALL, text)
    assert breaker.counts() == (0, 1)


async def test_nothing_is_sent_after_the_deadline() -> None:
    async with client(raising(AssertionError("sent"))) as http:
        with pytest.raises(NotProcessed):
            await http.attempt(CALL, text, deadline=Deadline.after(timedelta(0)))


async def test_failures_open_the_breaker_and_nothing_more_is_sent() -> None:
    sent: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        raise httpx.ReadError("reset")

    async with client(handler) as http:
        for _ in range(10):
            with pytest.raises(VendorTrouble):
                await http.attempt(CALL, text)
        assert http.breaker.state is BreakerState.OPEN
        with pytest.raises(BreakerOpen):
            await http.attempt(CALL, text)
    assert len(sent) == 10


async def test_throttling_and_refusals_are_no_sign_of_illness() -> None:
    outcomes = [Throttled("slower"), Fatal("no")] * 10

    def interpret(_response: httpx.Response) -> str:
        raise outcomes.pop()

    async with client(lambda _: httpx.Response(200)) as http:
        for _ in range(20):
            with pytest.raises((Throttled, Fatal)):
                await http.attempt(CALL, interpret)
        assert http.breaker.counts() == (20, 0)


async def test_every_attempt_is_traced_without_its_query_string() -> None:
    traces: list[CallTrace] = []
    async with client(lambda _: httpx.Response(200, text="well"), traces=traces) as http:
        await http.attempt(CALL, text)
    (trace,) = traces
    assert (trace.operation, trace.status, trace.outcome, trace.sent_bytes) == ("Read", 200, "ok", 2)
    assert trace.url == "https://vendor.test/things"


async def test_detail_of_an_error_is_redacted() -> None:
    async with client(raising(httpx.ReadError("at https://vendor.test?key=s3cret"))) as http:
        with pytest.raises(VendorTrouble) as caught:
            await http.attempt(CALL, text)
    assert "s3cret" not in str(caught.value)


async def test_redirects_are_not_followed() -> None:
    async with client(lambda _: httpx.Response(302, headers={"Location": "https://elsewhere.test"})) as http:
        assert await http.attempt(CALL, lambda response: response.status_code) == 302


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("4.0", 4),
        ("2", 2),
        ("-1", 0),
        ("Sun, 22 Nov 2026 10:00:30 GMT", 30),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0),
    ],
)
def test_retry_after_in_its_forms(value: str, seconds: float) -> None:
    with clock.frozen(datetime(2026, 11, 22, 10, tzinfo=UTC)):
        assert retry_after(httpx.Response(429, headers={"Retry-After": value})) == timedelta(seconds=seconds)


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "soon"}, {"Retry-After": "nan"}])
def test_retry_after_without_meaning_is_none(headers: dict[str, str]) -> None:
    assert retry_after(httpx.Response(429, headers=headers)) is None


def test_credentials_travel_over_tls_or_not_at_all() -> None:
    require_https("https://vendor.test")
    require_https("http://127.0.0.1:9393")
    with pytest.raises(Fatal, match="not https"):
        require_https("http://vendor.test")


def test_registry_shows_breakers_and_forgets_unused_limiters() -> None:
    from syncline.runtime.connect.cost_limiter import CostLimiter

    registry = Registry()
    registry.breaker("b")
    assert registry.breaker("b") is registry.breaker("b")
    assert registry.states() == {"b": "closed"}
    kept = registry.limiter("x", lambda: CostLimiter(capacity=1, restore_rate=1))
    assert registry.limiter("x", lambda: CostLimiter(capacity=1, restore_rate=1)) is kept
    del kept
    assert "x" not in registry.limiters


async def test_a_call_carries_the_id_of_what_it_is_made_for() -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("x-correlation-id"))
        return httpx.Response(200)

    call = Call("read", "https://vendor.test/a", method="GET")
    async with HttpClient("v", breaker=Breaker("v"), transport=httpx.MockTransport(answer)) as http:
        with correlated("order-42"):
            await http.attempt(call, lambda response: response)
        await http.attempt(call, lambda response: response)
    assert seen == ["order-42", None]


def test_each_change_of_a_breaker_is_told_and_logged() -> None:
    told: list[tuple[str, str]] = []
    registry = Registry(settings=BreakerSettings(minimum_calls=2, cool_down=timedelta(0)))
    registry.on_change.append(lambda breaker, state: told.append((breaker.name, state.value)))
    breaker = registry.breaker("shopify:summer.example")
    with capture_logs() as lines:
        breaker.succeeded(breaker.allow())
        breaker.failed(breaker.allow())
        breaker.succeeded(breaker.allow())
    assert told == [("shopify:summer.example", state) for state in ("open", "half-open", "closed")]
    assert [line["event"] for line in lines] == ["breaker opened", "breaker half-open", "breaker closed"]
    opened = lines[0]
    assert (opened["calls"], opened["failed"], opened["log_level"]) == (2, 1, "warning")
    assert opened["shown_as"] == shown_name("shopify:summer.example")


def test_what_is_shown_to_anybody_names_the_vendor_and_not_the_shop() -> None:
    one, two = shown_name("shopify:summer.example"), shown_name("shopify:winter.example files")
    assert (vendor_of("shopify:summer.example"), vendor_of("attio writes"), vendor_of("lemlist")) == (
        "shopify",
        "attio",
        "lemlist",
    )
    assert one.startswith("shopify:")
    assert "summer" not in one
    assert one != two
