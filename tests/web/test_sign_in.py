"""Who comes in: the one-time link, accounts, sessions that end, forms that nobody else can send, names of the host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.pages_site import NAME, ONCE, PASSWORD, Clock, accounts, browser, csrf, settings, sign_in, signed_in

from counter_listener.record import open_record
from counter_listener.web.pages.sign_in import own_path


def test_the_link_signs_in_once_and_only_once() -> None:
    given = settings()
    first = signed_in(given)
    assert first.get("/").status_code == 200
    assert "me" in first.get("/").text
    first.cookies.clear()
    assert first.get(f"/sign-in/once?key={ONCE}").status_code == 303
    shown = first.get("/", follow_redirects=True)
    assert shown.url.path == "/sign-in"
    assert "This link was used already" in shown.text


@pytest.mark.parametrize("key", ["", "wrong", "的", ONCE + "x"])
def test_a_wrong_link_signs_nobody_in(key: str) -> None:
    client = browser(settings())
    client.get("/sign-in/once", params={"key": key})
    assert client.get("/").status_code == 303
    assert client.get(f"/sign-in/once?key={ONCE}").status_code == 303
    assert client.get("/").status_code == 200


def test_the_link_is_worth_nothing_where_there_are_accounts(tmp_path: Path) -> None:
    client = browser(settings(accounts=accounts(tmp_path, "li")))
    client.get(f"/sign-in/once?key={ONCE}")
    assert client.get("/").status_code == 303


def test_name_and_password_lead_to_the_page_that_was_asked_for(tmp_path: Path) -> None:
    client = browser(settings(accounts=accounts(tmp_path, "li")))
    refused = client.get("/?since=2026-01-01")
    assert refused.status_code == 303
    assert refused.headers["location"] == "/sign-in?to=%2F%3Fsince%3D2026-01-01"
    wrong = sign_in(client, "li", "guess")
    assert wrong.status_code == 422
    assert "The name or the password is wrong." in wrong.text
    assert sign_in(client, "li", to="/?since=2026-01-01").headers["location"] == "/?since=2026-01-01"
    assert client.get("/").status_code == 200


def test_the_cookie_of_before_the_sign_in_is_worth_nothing_afterwards(tmp_path: Path) -> None:
    client = browser(settings(accounts=accounts(tmp_path, "li")))
    csrf(client)
    before = dict(client.cookies)
    sign_in(client, "li")
    client.cookies.clear()
    client.cookies.update(before)
    assert client.get("/").status_code == 303


def test_after_signing_out_the_cookie_is_worth_nothing(tmp_path: Path) -> None:
    client = browser(settings(accounts=accounts(tmp_path, "li")))
    sign_in(client, "li")
    cookie = dict(client.cookies)
    assert client.post("/sign-out", data={"csrf": csrf(client, "/")}).status_code == 303
    client.cookies.clear()
    client.cookies.update(cookie)
    assert client.get("/").status_code == 303


def test_sessions_end_when_nobody_uses_them_and_after_half_a_day(tmp_path: Path) -> None:
    clock = Clock()
    client = browser(settings(accounts=accounts(tmp_path, "li"), clock=clock))
    sign_in(client, "li")
    for _ in range(12):
        clock.pass_time(minutes=59)
        assert client.get("/").status_code == 200
    clock.pass_time(minutes=59)
    assert client.get("/").status_code == 303
    sign_in(client, "li")
    clock.pass_time(minutes=61)
    assert client.get("/").status_code == 303


def test_an_account_that_is_closed_or_changed_has_to_sign_in_again(tmp_path: Path) -> None:
    kept, clock = accounts(tmp_path, "li"), Clock()
    client = browser(settings(accounts=kept, clock=clock))
    sign_in(client, "li")
    assert "counter 3" not in client.get("/").text, "a supervisor sees every counter"
    clock.pass_time(minutes=1)
    kept.change("li", clock.now, role="clerk")
    assert client.get("/").status_code == 303
    sign_in(client, "li")
    assert "counter 3" in client.get("/").text
    clock.pass_time(minutes=1)
    kept.change("li", clock.now, disabled=True)
    assert client.get("/").status_code == 303
    assert sign_in(client, "li").status_code == 422


def test_who_guesses_is_told_to_wait(tmp_path: Path) -> None:
    client = browser(settings(accounts=accounts(tmp_path, "li")))
    for _ in range(5):
        assert "The name or the password is wrong." in sign_in(client, "li", "guess").text
    assert "too many failed attempts" in sign_in(client, "li").text


def test_a_form_without_the_token_of_this_browser_is_refused(tmp_path: Path) -> None:
    client = browser(settings(accounts=accounts(tmp_path, "li")))
    form = {"name": "li", "password": PASSWORD}
    for sent in (form, {**form, "csrf": ""}, {**form, "csrf": "x"}):
        refused = client.post("/sign-in", data=sent)
        assert refused.status_code == 403
        assert "Load it again" in refused.text
    token = csrf(client)
    crossed = client.post("/sign-in", data={**form, "csrf": token}, headers={"sec-fetch-site": "cross-site"})
    assert crossed.status_code == 403
    assert client.get("/").status_code == 303


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", f"{NAME}.evil.example", "", "[::1]"])
def test_a_foreign_name_of_the_host_is_refused(host: str) -> None:
    client = browser(settings())
    assert client.get(f"/sign-in/once?key={ONCE}", headers={"host": host}).status_code == 421
    assert client.get(f"/sign-in/once?key={ONCE}", headers={"host": f"{NAME.upper()}:8000"}).status_code == 303


def test_the_cookie_is_for_this_site_and_for_no_script() -> None:
    plain = browser(settings()).get("/sign-in").headers["set-cookie"]
    assert {"httponly", "samesite=lax", "path=/"} <= {part.strip().lower() for part in plain.split(";")}
    assert "secure" not in plain.lower()
    assert "max-age" not in plain.lower(), "it ends with the browser"
    assert "secure" in browser(settings(secure=True)).get("/sign-in").headers["set-cookie"].lower()


@pytest.mark.parametrize("length", ["16000001", "-1", "x"])
def test_a_request_that_is_too_long_is_refused(length: str) -> None:
    assert browser(settings()).post("/sign-in", headers={"content-length": length}).status_code == 413


def test_a_body_that_does_not_tell_its_length_is_cut_off() -> None:
    sent = (b"name=" + b"x" * 1_000_000 for _ in range(20))
    answer = browser(settings()).post(
        "/sign-in", content=sent, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code >= 400


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/visits?a=1", "/visits?a=1"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("visits", "/"),
        ("", "/"),
        ("/http://x/", "/http://x/"),
    ],
)
def test_after_the_sign_in_nobody_is_led_to_another_site(address: str, expected: str) -> None:
    assert own_path(address) == expected


def test_sign_ins_are_in_the_record_and_failed_ones_without_names_that_may_be_passwords(tmp_path: Path) -> None:
    store = tmp_path / "events.db"
    with open_record(store):
        pass
    with browser(settings(store, accounts=accounts(tmp_path, "li"))) as client:
        for name, password in (("li", "guess"), (PASSWORD, "li"), ("li", PASSWORD)):
            sign_in(client, name, password)
        client.post("/sign-out", data={"csrf": csrf(client, "/")})
        for _ in range(9):
            sign_in(client, "li", "guess")
    with signed_in(settings(store)):
        pass
    with open_record(store) as record:
        rows = [json.loads(row.detail) for row in record.read() if row.kind == "access"]
    told = [(row["by"], row["action"], row.get("what")) for row in rows]
    failed = ("li", "failed_sign_in", "testclient")
    assert told[:4] == [
        failed,
        ("", "failed_sign_in", "testclient"),
        ("li", "signed_in", "testclient"),
        ("li", "signed_out", None),
    ]
    assert told[4:] == [failed] * 5 + [("me", "signed_in", None)], "what was not looked at is not written"
    assert PASSWORD not in store.read_bytes().decode("latin-1")
