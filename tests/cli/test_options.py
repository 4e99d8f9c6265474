"""An option that is given twice where one counts is refused, by every command alike."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from support.command import run, transcript

from counter_listener.cli.app import cli
from counter_listener.cli.help import Command


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def single_options() -> Iterator[tuple[str, ...]]:
    """The words of each command with one of its options, and a value where it takes one."""
    for words, command in commands():
        for option in command.params:
            if isinstance(option, click.Option) and not (option.multiple or option.is_eager):
                for name in (option.opts[0], max(option.opts, key=len)):
                    yield (*words, name) if option.is_flag else (*words, name, "1")


@pytest.mark.parametrize("words", sorted(set(single_options())), ids=" ".join)
def test_every_option_is_taken_once(words: tuple[str, ...]) -> None:
    depth = next(at for at, word in enumerate(words) if word.startswith("-"))
    refused = run(*words, *words[depth:])
    assert refused.exit_code == 2
    assert "is given twice; give it once." in refused.stderr
    assert refused.stdout == ""


def test_every_command_is_of_the_class_that_refuses() -> None:
    assert [words for words, command in commands() if not isinstance(command, Command)] == []


@pytest.mark.parametrize(
    "words",
    [
        "events --store a.db verify --store b.db",
        "events --store a.db anchor --store a.db",
        "--lang zh events --lang en verify",
        "report -o a.html --output b.html",
        "listen --screen --no-screen",
        "check --store=a.db --store=b.db v.jsonl",
    ],
)
def test_in_another_form_or_place_it_is_the_same_option(words: str) -> None:
    refused = run(*shlex.split(words))
    assert refused.exit_code == 2
    assert "twice" in refused.stderr or "两次" in refused.stderr


def test_what_counts_more_than_once_or_comes_from_elsewhere_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTER_LISTENER_KEY", os.environ["COUNTER_LISTENER_KEY"])
    store = tmp_path / "events.db"
    key = tmp_path / "key.pem"
    done = run("check", transcript(tmp_path / "a.jsonl"), "--store", store, "--key", key, "--counter", "3", "--quiet")
    assert done.exit_code == 0
    assert key.exists()
    assert run("report", "--store", store, "--counter", "3", "--counter", "3", "-o", tmp_path / "r.html").exit_code == 0
    assert run("events", "--store", store, "verify").exit_code == 0
