"""What an earlier release wrote opens in this one: record, phrase sets, accounts, settings; tests/fixtures/releases."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.command import run, transcript
from support.small_counter import FULL

from counter_listener.live import read_config
from counter_listener.record import Accounts, accounts_file, open_record

RELEASES = sorted(each for each in (Path(__file__).parent / "fixtures" / "releases").iterdir() if each.is_dir())
SET = ("--phrases", "branch")


@pytest.fixture(params=[each for each in RELEASES if each.name[0].isdigit()], ids=lambda folder: folder.name)
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The data folder of a counter and its server, as a release left it."""
    return Path(shutil.copytree(request.param, tmp_path / "data"))


def test_a_record_of_an_earlier_release_is_opened_verified_continued_and_reported(
    release: Path, tmp_path: Path
) -> None:
    store, key = release / "events.db", tmp_path / "key" / "new.pem"
    with open_record(store, create=False) as record:
        rows = [[row.seq, row.kind, row.phrase, row.verdict, row.score, row.chain] for row in record.read()]
    assert rows == json.loads((release / "rows.json").read_text(encoding="utf-8")), "no row changes, nor its place"
    verified = run("events", "verify", "--store", store)
    assert verified.exit_code == 0, verified.stderr
    assert run("events", "anchor", "--new-key", "--key", key, "--store", store).exit_code == 0
    talk = transcript(
        tmp_path / "2026-01-16_09-30-00.jsonl", [(3.0 * at, 3.0 * at + 2, one) for at, one in enumerate(FULL)]
    )
    checked = run("check", talk, *SET, "--store", store, "--key", key, "--counter", "3")
    assert checked.exit_code == 0, checked.stderr
    assert run("events", "verify", "--store", store).exit_code == 0
    report = json.loads(run("report", "--format", "json", "--store", store).stdout)
    assert len(report["phrase_sets"]) == 1
    assert report["tables"]["visits"][0]["counter"] == "3"
    rejudged = run("rejudge", *SET, "--store", store)
    assert rejudged.exit_code == 0, rejudged.stderr


def test_accounts_and_settings_of_an_earlier_release_are_read(release: Path) -> None:
    (account,) = Accounts(accounts_file(release / "events.db")).all()
    assert (account.name, account.role) == ("wang", "supervisor")
    config = read_config(release / "counter.toml")
    assert (config.counter, config.device) == ("3", "USB Audio")
    changed = run("setup", "--non-interactive", "--config", release / "counter.toml", "--counter", "4")
    assert changed.exit_code == 0
    assert read_config(release / "counter.toml") == config.model_copy(update={"counter": "4"})


def test_the_newest_release_is_kept() -> None:
    assert RELEASES, "python tests/fixtures/releases/keep_release.py, with the release itself"
