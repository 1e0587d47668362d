from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi import Request
from starlette.responses import Response

from syncline.runtime.http.browser import BrowserCookie, FromAnotherSite, require_same_site

HERE = "https://syncline.test"


def request(method: str, **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {
            "type": "http",
            "method": method,
            "scheme": "https",
            "path": "/x",
            "query_string": b"",
            "server": ("syncline.test", 443),
            "headers": [(b"host", b"syncline.test"), *raw],
        }
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "origin": HERE},
        {"origin": "https://evil.example.com"},
        {"origin": "http://syncline.test"},
        {"origin": "https://syncline.test:8443"},
        {"origin": "https://syncline.test.evil.example.com"},
        {"origin": "null"},
        {"origin": "https://[broken"},
        {},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_from_another_site_is_refused(method: str, headers: dict[str, str]) -> None:
    with pytest.raises(FromAnotherSite) as refused:
        require_same_site(request(method, **headers))
    assert (refused.value.status, refused.value.code) == (403, "API_003")


@pytest.mark.parametrize("headers", [{"sec_fetch_site": "same-origin"}, {"sec_fetch_site": "none"}, {"origin": HERE}])
def test_a_write_from_our_own_pages_passes(headers: dict[str, str]) -> None:
    require_same_site(request("POST", **headers))


def test_reading_passes_from_anywhere_and_a_listed_origin_may_write() -> None:
    require_same_site(request("GET", sec_fetch_site="cross-site"))
    told = {"sec_fetch_site": "cross-site", "origin": "https://app.example.com"}
    require_same_site(request("POST", **told), frozenset({"https://app.example.com"}))


def test_the_cookie_is_out_of_reach_of_scripts_other_hosts_and_other_sites() -> None:
    response = Response()
    BrowserCookie("session").put(response, "abc", lasts=timedelta(days=1), is_secure=True)
    parts = {part.strip().lower() for part in response.headers["set-cookie"].split(";")}
    assert parts == {"__host-session=abc", "max-age=86400", "path=/", "secure", "httponly", "samesite=lax"}


def test_without_tls_it_has_no_prefix_that_browsers_would_refuse() -> None:
    response = Response()
    BrowserCookie("session").put(response, "abc", lasts=timedelta(days=1), is_secure=False)
    assert response.headers["set-cookie"].startswith("session=abc;")
    assert "secure" not in response.headers["set-cookie"].lower().split("; ")


def test_clearing_names_the_same_cookie() -> None:
    response = Response()
    BrowserCookie("session").clear(response, is_secure=True)
    assert response.headers["set-cookie"].startswith('__Host-session="";')
    assert "Max-Age=0" in response.headers["set-cookie"]


def test_a_cookie_of_a_narrow_path_has_the_prefix_that_allows_one() -> None:
    response, cookie = Response(), BrowserCookie("refresh", path="/api/auth", same_site="strict")
    cookie.put(response, "abc", lasts=timedelta(days=1), is_secure=True)
    parts = {part.strip().lower() for part in response.headers["set-cookie"].split(";")}
    assert parts == {
        "__secure-refresh=abc",
        "max-age=86400",
        "path=/api/auth",
        "secure",
        "httponly",
        "samesite=strict",
    }


def test_a_cookie_without_the_prefix_is_not_read_over_tls() -> None:
    cookie = BrowserCookie("session")
    assert cookie.read(request("POST", cookie="session=planted"), is_secure=True) is None
    assert cookie.read(request("POST", cookie="__Host-session=ours"), is_secure=True) == "ours"
    assert cookie.read(request("POST", cookie="session=ours"), is_secure=False) == "ours"
