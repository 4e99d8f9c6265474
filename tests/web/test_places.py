"""An account of a branch or a region sees its counters alone, whatever it asks for; figures have both levels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.pages_record import RUDE, UNGREETED, add_visit, sound_file
from support.pages_site import NOW, PASSWORD, accounts, browser, csrf, program, settings, sign_in, site

from counter_listener.cli.app import cli
from counter_listener.record import (
    AppealRequest,
    Counter,
    Place,
    ReviewRequest,
    SamplePlan,
    counters,
    draw,
    open_appeal,
    open_record,
    review,
    set_place,
)
from counter_listener.web.app import route_names
from counter_listener.web.rights import PUBLIC, WHOLE
from counter_listener.web.sets import phrase_sets

SECRET = "LEAKED"  # noqa: S105 - a word to look for
"""In everything that is of the other branch."""
NAMED = "ANOTHER"
"""In the names of its counter, its branch and its region, which somebody may guess and ask for."""
ROUTES = [route for route in sorted(route_names()) if route not in PUBLIC]


class Branches:
    """A record of two branches, of one region each."""

    def __init__(self, folder: Path) -> None:
        self.open = ExitStack()
        self.store = folder / "events.db"
        key = folder / "key" / "key.pem"
        with open_record(self.store, key_file=key) as record:
            other = sound_file(folder / "sounds" / f"{SECRET}.wav", 1)
            self.theirs = add_visit(record, other, RUDE, f"{NAMED}-counter")
            self.ours = add_visit(record, sound_file(folder / "sounds" / "ours.wav", 2), UNGREETED, "4")
            self.nobodys = add_visit(record, sound_file(folder / "sounds" / f"{SECRET}-too.wav", 3), counter=None)
            set_place(record, Place("4", "东街", "北区"), "root", NOW)
            set_place(record, Place(f"{NAMED}-counter", f"{NAMED}-branch", f"{NAMED}-region"), "root", NOW)
            row = next(each for each in record.read(visit=self.theirs) if each.verdict == "forbidden")
            note = f"{SECRET} note"
            review(record, ReviewRequest(self.theirs, "note", f"{SECRET}-person", 999, note=note), NOW, phrase_sets())
            open_appeal(record, AppealRequest(self.theirs, f"{SECRET}-clerk", note, row.uid), NOW)
            names = ("sun", "zhou")
            plan = SamplePlan(f"{SECRET}-plan", 1, NOW - timedelta(days=9), NOW + timedelta(days=9), names, "root")
            draw(record, plan, NOW)
        self.event = row.uid
        kept = accounts(folder, "root", role="administrator")
        kept.add("sun", "supervisor", PASSWORD, settings().clock(), branch="东街")
        kept.add("zhou", "auditor", PASSWORD, settings().clock(), region="北区")
        kept.add("qian", "administrator", PASSWORD, settings().clock(), branch="东街")
        kept.add("wu", "reviewer", PASSWORD, settings().clock(), branch="nowhere")
        self.settings = settings(self.store, key_file=key, accounts=kept, tokens=kept)
        self.site = site(self.settings)

    def others(self) -> tuple[list[int], list[Counter]]:
        """What no account of this branch may change: the rows of the other visit, and the other counters."""
        with open_record(self.store) as record:
            rows = [row.seq for row in record.read(visit=self.theirs)]
            return rows, [each for each in record.query(counters) if each.name != "4"]

    def person(self, name: str) -> Any:
        client = browser(self.site)
        sign_in(client, name)
        return client

    def program(self, name: str) -> Any:
        return program(self.settings, name, self.site)


@pytest.fixture(scope="module")
def branches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Branches]:
    made = Branches(tmp_path_factory.mktemp("branches"))
    with made.open:
        yield made


@pytest.mark.parametrize(
    "name", ["sun", "zhou", *(pytest.param(name, marks=pytest.mark.slow) for name in ("wu", "qian"))]
)
def test_no_route_leaks_anything_of_another_branch(branches: Branches, name: str) -> None:
    browsing, programming = branches.person(name), branches.program(name)
    token = csrf(browsing, "/")
    before = branches.others()
    reached = 0
    for route in sorted(ROUTES, key=lambda route: "sign-out" in route):
        method, _, path = route.partition(" ")
        client = programming if "/api/" in path else browsing
        address = path.replace("{visit}", branches.theirs).replace("{dialogue}", "none").replace("{number}", "1")
        form = {
            "name": f"{NAMED}-counter",
            "csrf": token,
            "visit": branches.theirs,
            "event": branches.event,
            "appeal": branches.event,
        }
        sent: dict[str, Any] = {} if method == "GET" else {"data": {**form, "decision": "note", "note": "x"}}
        if method == "POST" and "/api/" in path:
            sent = {"json": {"action": "note", "note": "x", "after": 9999}}
        for query in ("", f"?days=all&counter={NAMED}-counter&branch={NAMED}-branch&region={NAMED}-region"):
            if query and method != "GET":
                continue
            answer = client.request(method, address + query, **sent)
            assert SECRET not in answer.text, (route, query)
            assert NAMED not in answer.text or query, route  # what is asked for is shown again
            assert answer.status_code < 500, route
            reached += answer.status_code == 200
            if "{visit}" in path:
                assert answer.status_code in (403, 404), route
            if route in WHOLE:
                assert answer.status_code == 403, route
    assert reached > (3 if name == "qian" else 12)
    assert branches.others() == before


def test_an_account_sees_what_is_of_its_own_branch_or_region(branches: Branches) -> None:
    for name in ("sun", "zhou"):
        client, api = branches.person(name), branches.program(name)
        page = client.get("/visits").text
        assert branches.ours in page
        assert branches.theirs not in page
        assert branches.nobodys not in page
        for more in ("", "/audio", "/peaks.json"):
            assert client.get(f"/visits/{branches.ours}{more}").status_code == 200
        assert client.get("/visits/export.csv").text.count("\n") == 2
        assert [visit["visit"] for visit in api.get("/api/v1/visits").json()["visits"]] == [branches.ours]
        assert api.get("/api/v1/figures?days=all").json()["totals"]["visits"] == 1
        assert {row["counter"] for row in api.get("/api/v1/events").json()["events"]} == {"4"}
    nowhere = branches.program("wu")
    assert nowhere.get("/api/v1/visits").json()["total"] == 0
    assert nowhere.get("/api/v1/events").json()["events"] == []
    assert nowhere.get("/api/v1/figures?days=all").json()["totals"]["visits"] == 0


def test_the_overview_goes_down_from_region_to_branch_to_counter(branches: Branches) -> None:
    with browser(settings(branches.store)) as client:
        client.get("/sign-in/once?key=the-secret-of-the-link")
        top = client.get("/?days=all").text
        assert "region=%E5%8C%97%E5%8C%BA" in top
        region = client.get("/?days=all&region=北区").text
        assert "branch=%E4%B8%9C%E8%A1%97" in region
        assert f"{NAMED}-branch" not in region
        branch = client.get("/?days=all&region=北区&branch=东街").text
        assert "counter=4" in branch
        assert client.get("/visits?branch=东街").text.count(branches.ours) > 0
        assert branches.theirs not in client.get("/visits?branch=东街").text
        assert branches.theirs not in client.get("/visits?region=北区").text
        assert client.get("/machine?region=北区").status_code == 200


def test_an_administrator_sets_where_a_counter_belongs_and_the_record_tells_who(tmp_path: Path) -> None:
    made = Branches(tmp_path)
    with made.open:
        root = made.person("root")
        form = {"csrf": csrf(root, "/counters"), "name": "4", "branch": " 西街 ", "region": ""}
        assert root.post("/counters", data=form).status_code == 303
        assert 'value="西街"' in root.get("/counters").text
        assert root.post("/counters", data={**form, "branch": "x" * 101}).status_code == 422
        assert made.program("sun").get("/api/v1/visits").json()["total"] == 0, "it is in another branch now"
        with open_record(made.store) as record:
            (row,) = [row for row in record.read() if row.kind == "access" and "西街" in row.detail]
            assert '"by": "root"' in row.detail
            assert record.verify().broken is None


def test_an_administrator_of_a_branch_changes_its_counters_alone(tmp_path: Path) -> None:
    made = Branches(tmp_path)
    with made.open, open_record(made.store, key_file=made.settings.key_file) as record:
        add_visit(record, sound_file(tmp_path / "sounds" / "placeless.wav", 4), counter="8")
        qian = made.person("qian")
        shown = qian.get("/counters").text
        assert ('<th scope="row">4\n' in shown, '<th scope="row">8\n' in shown) == (True, False)

        def sent(path: str, name: str, **more: str) -> tuple[int, str]:
            answer = qian.post(path, data={"csrf": csrf(qian, "/counters"), "name": name, **more})
            return answer.status_code, answer.text

        def place(name: str) -> tuple[str | None, str | None]:
            return next((each.branch, each.region) for each in record.query(counters) if each.name == name)

        assert sent("/counters/code", "4")[0] == sent("/counters/code", "9")[0] == 200
        assert (place("4"), place("9")) == (("东街", "北区"), ("东街", None))
        assert sent("/counters/close", "9")[0] == 303
        assert sent("/counters", "9", branch="东街", region="北区")[0] == 303
        for path, name, more, told in (
            ("/counters", "4", {"branch": "西街"}, "the counters of 东街 alone"),
            ("/counters", "8", {"branch": "东街"}, "no counter of this name"),
            ("/counters/code", "8", {}, "no counter of this name"),
            ("/counters/code", "10", {"branch": "西街"}, "the counters of 东街 alone"),
            ("/counters/code", "10", {"many": "yes"}, "an account that sees all of them"),
            ("/counters/close", "8", {}, "no counter of this name"),
        ):
            status, text = sent(path, name, **more)
            assert (status, told in text) == (422, True), (path, name)
        assert {each.name for each in record.query(counters)} == {"4", "9", f"{NAMED}-counter"}


def test_the_command_line_sets_places_and_reports_on_them(tmp_path: Path) -> None:
    made = Branches(tmp_path)
    made.open.close()

    def run(*words: str, typed: str = "") -> str:
        done = CliRunner().invoke(cli, [*words, "--store", str(made.store)], input=typed)
        assert done.exit_code == 0, done.output
        return done.output

    key = str(tmp_path / "key" / "key.pem")
    assert "4  西街  北区" in run("counters", "set", "4", "--branch", "西街", "--key", key)
    assert "西街" in run("counters", "list")
    told = run("report", "--region", "北区", "--format", "json")
    assert "西街" in told
    assert NAMED not in told
    wrong = CliRunner().invoke(cli, ["report", "--branch", "nowhere", "--store", str(made.store)])
    assert (wrong.exit_code, "No counter belongs to" in wrong.output) == (2, True)
    assert "branch 西街" in run(
        "accounts", "add", "ma", "--role", "auditor", "--branch", "西街", typed="a long secret\n"
    )
    assert "branch" not in run("accounts", "change", "ma", "--branch", "")
