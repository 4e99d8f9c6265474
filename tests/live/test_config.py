"""counter.toml: written with every field explained, read back as it was, and one sentence for whatever is wrong."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.command import run

from counter_listener.domain.errors import ConfigError
from counter_listener.live.config import ClipsTable, Config, find_config, read_config, template, with_flags


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "counter.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def test_init_writes_every_setting_explained_and_they_are_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "counter.toml"
    assert run("init", file, "--counter", "三号", "--device", 'USB "A"').exit_code == 0
    text = file.read_text(encoding="utf-8")
    assert read_config(file) == Config(counter="三号", device='USB "A"')
    assert set(tomllib.loads(text)) == set(Config.model_fields)
    for name in [*Config.model_fields, *ClipsTable.model_fields]:
        line = f"\n[{name}]\n" if name == "clips" else f"\n{name} = "
        before = text[: text.rindex(line)].rpartition("\n\n")[2]
        assert before.startswith("# "), f"{name} is not explained"
    assert "megabytes" in text
    again = run("init", file)
    assert again.exit_code == 2
    assert "already exists" in again.stderr
    assert file.read_text(encoding="utf-8") == text


def test_init_says_what_keeps_it_from_writing(tmp_path: Path) -> None:
    shown = run("init", tmp_path / "no" / "folder.toml")
    assert shown.exit_code == 2
    assert "cannot be written" in shown.stderr


@settings(max_examples=50)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=50))
def test_a_name_of_any_kind_comes_back_as_it_was(name: str) -> None:
    assert tomllib.loads(template(name, name)) == {**Config().model_dump(), "counter": name, "device": name}


def test_flags_win_and_what_is_not_given_stays(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, 'counter = "3"\nscreen = false\nmemory_limit = 500\nchannel = 2'))
    flags = with_flags(config, {"counter": "4", "screen": None, "channel": "mix"})
    assert (flags.counter, flags.screen, flags.memory_limit, flags.channel) == ("4", False, 500, "mix")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("counter = 3", "'counter' must be text in quotes"),
        ("channel = 0", "'channel' must be"),
        ('channel = "left"', "'channel' must be"),
        ("channel = true", "'channel' must be"),
        ('language = "fr"', "'language' must be"),
        ("memory_limit = 5", "'memory_limit' is too small"),
        ("memory_limit = 1.5", "must be a whole number"),
        ('screen = "yes"', "must be true or false"),
        ('devise = "x"', "'devise' is no setting; known are counter, device"),
        ("clips = 3", "'clips' must be a table"),
        ('[clips]\nkeep = "some"', "'clips.keep' must be \"none\""),
        ('[clips]\nkey = "mine"', "'clips.key' must be the 64 hex digits"),
        ("[clips]\ndays = 0", "'clips.days' is too small"),
        ('[clips]\nbefore = "3"', "'clips.before' must be a number"),
        ("[clips]\nhours = 3", "'clips.hours' is no setting; known are keep, before"),
        ("counter = ", "not TOML"),
        ('store = "C:\\Users"', "single quotes"),
        (b"counter = '\xff'", "not UTF-8"),
        ("counter = " + "[" * 2000, "nested"),
        ("a" + ".a" * 5000 + " = 1", "dots"),
        (b"#" * 200_000, "bytes"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_that_names_the_file(text: str | bytes, said: str, tmp_path: Path) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_config(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=150)
@given(data=st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))))
def test_any_bytes_give_settings_or_one_of_our_errors(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = written(tmp_path_factory.getbasetemp(), data)
    said = ""
    try:
        read_config(file)
    except ConfigError as error:
        said = str(error)
    assert re.fullmatch(r"|.*counter\.toml: .*\.", said, flags=re.DOTALL)


def test_the_file_here_is_found_and_one_that_is_asked_for_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert find_config(None) is None
    if os.name == "posix":
        (tmp_path / "data" / "counter-listener").mkdir(parents=True)
        (tmp_path / "data" / "counter-listener" / "counter.toml").touch()
        assert find_config(None) == tmp_path / "data" / "counter-listener" / "counter.toml"
    Path("counter.toml").touch()
    assert find_config(None) == Path("counter.toml")
    with pytest.raises(ConfigError, match="init"):
        find_config(tmp_path / "other.toml")


def test_a_wrong_setting_ends_listen_with_its_sentence(tmp_path: Path) -> None:
    shown = run("listen", "--config", written(tmp_path, "counter = 3"))
    assert shown.exit_code == 2
    assert "'counter' must be text" in shown.stderr
    assert run("listen", "--channel", "0").exit_code == 2
