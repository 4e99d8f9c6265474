"""Every route is in the table of rights, and the table is what happens: without sign-in, and with each role."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from starlette.testclient import TestClient
from support.pages_site import NOW, accounts, browser, csrf, empty_site, program, settings, sign_in, signed_in

from counter_listener.record import AccountRole
from counter_listener.web.app import route_names
from counter_listener.web.rights import FOR_COUNTERS, PUBLIC, RIGHTS, may_use, unlisted

ROUTES = sorted(route_names())
PRIVATE = [route for route in ROUTES if route not in PUBLIC and "/api/" not in route]
FOR_PROGRAMS = [route for route in ROUTES if "/api/" in route and route not in FOR_COUNTERS and "enrol" not in route]


def test_every_route_is_in_the_table_and_the_table_has_no_others() -> None:
    assert list(unlisted(ROUTES)) == []
    assert sorted([*PUBLIC, *RIGHTS, *FOR_COUNTERS]) == ROUTES
    assert not PUBLIC & set(RIGHTS)
    assert not FOR_COUNTERS & (PUBLIC | set(RIGHTS))
    assert list(unlisted(["GET /secret"])) == ["GET /secret"]


def test_nothing_else_answers() -> None:
    client = browser(empty_site())
    for path in ("/docs", "/redoc", "/openapi.json", "/static", "/static/", "/.env"):
        assert client.get(path).status_code == 404, path


def address(route: str) -> tuple[str, str]:
    method, _, path = route.partition(" ")
    return method, path.replace("{path:path}", "app.css").replace("{visit}", "no-such-visit").replace(
        "{dialogue}", "none"
    )


@pytest.mark.parametrize("route", PRIVATE)
def test_without_sign_in_no_page_shows_anything(route: str) -> None:
    client = browser(empty_site())
    token = csrf(client)
    method, path = address(route)
    answer = client.request(method, path, data={"csrf": token} if method != "GET" else None)
    assert answer.status_code == (303 if method == "GET" else 401)
    if method == "GET":
        assert answer.headers["location"].startswith("/sign-in")
        assert client.get(path, headers={"hx-request": "true"}).status_code == 401
        assert client.get(path, headers={"accept": "application/json"}).status_code == 401


@pytest.mark.parametrize("role", get_args(AccountRole))
def test_each_role_may_do_what_the_table_says(role: AccountRole, tmp_path: Path) -> None:
    client = browser(settings(accounts=accounts(tmp_path, "li", role=role)))
    sign_in(client, "li")
    form = {"csrf": csrf(client, "/")}
    for route in sorted(PRIVATE, key=lambda route: "sign-out" in route):
        method, path = address(route)
        answer = client.request(method, path, data=form if method != "GET" else None)
        assert (answer.status_code == 403) == (not may_use(role, route)), route


def test_on_the_machine_itself_everything_is_allowed() -> None:
    assert all(may_use("local", route) for route in ROUTES if route not in FOR_COUNTERS)


@pytest.fixture(scope="module")
def person() -> TestClient:
    return signed_in(settings())


@pytest.mark.parametrize("route", [route for route in PRIVATE if not route.startswith("GET ")])
def test_what_changes_something_wants_the_token(person: TestClient, route: str) -> None:
    method, path = address(route)
    assert person.request(method, path).status_code == 403
    assert person.get("/system").status_code == 200, "still signed in"


def told(answer: Any) -> str:
    """The one sentence of an error."""
    assert set(answer.json()) == {"error"}
    return str(answer.json()["error"])


@pytest.mark.parametrize("route", [route for route in FOR_PROGRAMS if route not in PUBLIC])
def test_the_api_wants_a_token_whatever_else_is_sent(route: str, tmp_path: Path) -> None:
    given = settings(accounts=accounts(tmp_path, "li"), tokens=accounts(tmp_path))
    client = browser(given)
    sign_in(client, "li")  # a cookie is worth nothing here
    method, path = address(route)
    for headers in (
        {},
        {"authorization": "Bearer "},
        {"authorization": "Basic bGk6eA=="},
        {"authorization": "Bearer x"},
    ):
        for content in (None, "{", "[]"):
            answer = client.request(method, f"{path}?page=x", content=content, headers=headers)
            assert answer.status_code == 401, (headers, content)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "needs a token" in told(answer)


@pytest.mark.parametrize("role", get_args(AccountRole))
def test_a_token_has_the_rights_of_its_account(role: AccountRole, tmp_path: Path) -> None:
    client = program(settings(tokens=accounts(tmp_path, "li", role=role)), "li")
    for route in FOR_PROGRAMS:
        method, path = address(route)
        answer = client.request(method, path, json={"action": "uphold", "after": 0} if method != "GET" else None)
        assert (answer.status_code == 403) == (not may_use(role, route)), route
        assert answer.status_code in (200, 403, 404), route


def test_no_token_opens_a_page(tmp_path: Path) -> None:
    given = settings(accounts=accounts(tmp_path, "li"), tokens=accounts(tmp_path))
    client = program(given, "li")
    for route in PRIVATE:
        method, path = address(route)
        assert client.request(method, path).status_code in (303, 401, 403), route


def test_a_token_of_a_closed_or_changed_account_follows_it(tmp_path: Path) -> None:
    kept = accounts(tmp_path, "li")
    client = program(settings(tokens=kept), "li")
    assert client.get("/api/v1/machine").status_code == 200
    kept.change("li", NOW, role="clerk")
    assert client.get("/api/v1/machine").status_code == 403
    kept.change("li", NOW, disabled=True)
    assert client.get("/api/v1/machine").status_code == 401
