"""What every answer has: a strict policy, no script in a page, its language, one sentence where something is wrong."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import pytest
from support.pages_site import browser, settings, signed_in

from counter_listener.web.app import route_names
from counter_listener.web.rendering import HERE, STATIC, asset, texts
from counter_listener.web.rights import PUBLIC

TEMPLATES = sorted((HERE / "templates").glob("*.html"))
VENDOR = STATIC / "vendor"
TEST_VENDOR = Path(__file__).parents[1] / "support" / "vendor"
PAGES = [route.removeprefix("GET ") for route in route_names() if re.fullmatch(r"GET /[a-z-]*", route)]


def test_every_answer_has_the_policy_and_nothing_private_is_kept() -> None:
    client = signed_in(settings())
    for path in ("/", "/sign-in", "/nope", "/static/app.css", "/sign-in/once"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == ("no-cache" if "static" in path else "no-store")
    first, second = (client.get("/").headers["content-security-policy"] for _ in range(2))
    assert first != second, "the nonce is new each time"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.name)
def test_no_script_and_no_style_stands_in_a_template(template: object) -> None:
    text = template.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    assert not re.search(r"<style|\sstyle=|javascript:|\son[a-z]+=|hx-on", text)
    assert not re.search(r"<script(?![^>]* src=)", text)
    assert "| safe" not in text
    assert "|safe" not in text


def test_static_files_have_addresses_that_change_with_their_content() -> None:
    client = browser(settings())
    for path in STATIC.rglob("*"):
        if path.suffix in (".css", ".js", ".svg"):
            name = path.relative_to(STATIC).as_posix()
            answer = client.get(asset(name))
            assert answer.content == path.read_bytes()
            assert "immutable" in answer.headers["cache-control"]
    for name in (
        "../app.py",
        "..%2fapp.py",
        "vendor/vendor.toml",
        "vendor/../../app.py",
        "%2e%2e/app.py",
        "/etc/passwd",
    ):
        assert client.get(f"/static/{name}").status_code == 404, name


@pytest.mark.parametrize("folder", [VENDOR, TEST_VENDOR], ids=["pages", "tests"])
def test_the_libraries_of_others_are_unchanged_and_their_licences_stand_beside_them(folder: Path) -> None:
    listed = tomllib.loads((folder / "vendor.toml").read_text(encoding="utf-8"))["library"]
    named = {"vendor.toml"}
    for library in listed:
        assert library["source"]
        assert library["version"]
        named |= set(library["licence_files"])
        for file in library["files"]:
            named.add(file["name"])
            assert hashlib.sha256((folder / file["name"]).read_bytes()).hexdigest() == file["sha256"], file["name"]
    assert {path.name for path in folder.iterdir()} == named


@pytest.mark.parametrize(
    ("asked", "accepted", "expected"),
    [
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        (None, "en-GB,zh;q=0.2", "en"),
        (None, "fr, de;q=0.5", "en"),
        (None, "fr;q=x, zh-TW;q=0.1", "zh-CN"),
        (None, "zh;q=0", "en"),
        ("zh", "en", "zh-CN"),
        ("en", "zh", "en"),
        ("xx", "zh", "zh-CN"),
    ],
)
def test_the_language_is_asked_for_or_that_of_the_browser(asked: str | None, accepted: str, expected: str) -> None:
    path = "/sign-in" + (f"?lang={asked}" if asked else "")
    text = browser(settings()).get(path, headers={"accept-language": accepted}).text
    assert f'<html lang="{expected}"' in text


def test_a_chosen_language_and_colours_stay() -> None:
    client = signed_in(settings())
    token = re.search(r'name="csrf" value="([^"]+)"', client.get("/").text)
    assert token
    sent = {"csrf": token[1], "lang": "zh", "theme": "dark", "to": "/sign-in"}
    assert client.post("/settings", data=sent).headers["location"] == "/sign-in"
    assert '<html lang="zh-CN" data-theme="dark"' in client.get("/").text


def test_what_is_wrong_is_told_in_a_sentence() -> None:
    client = signed_in(settings())
    missing = client.get("/nope?lang=zh")
    assert missing.status_code == 404
    assert texts("zh")._("There is no such page") in missing.text
    assert client.post("/nope").status_code == 404
    assert client.put("/", headers={"x-csrf-token": "x"}).status_code == 405
    assert "Traceback" not in client.get("/nope").text


def test_only_public_pages_answer_without_a_record() -> None:
    client = browser(settings())
    for route in PUBLIC - {"GET /metrics"}:  # for programs: test_probes
        method, _, path = route.partition(" ")
        if method == "GET":
            assert client.get(path.replace("{path:path}", "app.css")).status_code in (200, 303)
