"""The bench of false alarms on ordinary speech: recordings of any folder with a manifest, and sentences of a file."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import ordinary_speech
import pytest
from support.small_counter import SMALL_FILE

TOP = Path(__file__).resolve().parents[2]
RECORDING = TOP / "tests" / "fixtures" / "everyday-talk.wav"


def bench(*words: object) -> subprocess.CompletedProcess[str]:
    """The bench in this process, with the small phrase set where no other is named: it is ready sooner."""
    command = ["ordinary_speech.py", "--phrases", str(SMALL_FILE), *map(str, words)]
    shown, said = io.StringIO(), ""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(shown):
        patch.setattr(sys, "argv", command)
        try:
            ordinary_speech.main()
        except SystemExit as error:
            said = str(error.code)
    return subprocess.CompletedProcess(command, int(bool(said)), shown.getvalue(), said)


def manifest(folder: Path, *rows: str) -> Path:
    (folder / "manifest.tsv").write_text("\n".join(["path\ttext\tspeaker", *rows]) + "\n", encoding="utf-8")
    return folder


@pytest.mark.slow  # with the set of a bank, and sound
def test_false_alarms_per_hour_of_text_with_and_without_errors_and_of_recordings(tmp_path: Path) -> None:
    folder = manifest(
        tmp_path,
        f"{RECORDING}\t今天天气不错我想取两万块钱\tA",
        f"{RECORDING}\t请问您要办理什么业务\tA",
        f"{RECORDING}\t请慢走再见\tB",
    )
    result = bench(
        "--folder",
        folder,
        "--speaker",
        "A",
        "--cer",
        "0",
        "--cer",
        "0.2",
        "--model",
        "counter-cn",
        "--phrases",
        "bank-counter",
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("2 recordings")
    assert re.search(
        r"0\.0% CER: 2 sentences, .* 1 with a wording word for word\n  ours, own settings: 0 false", result.stdout
    )
    assert "20.0% CER: 6 sentences" in result.stdout
    assert "recognised by counter-cn: 2 sentences" in result.stdout
    assert "0 false alarms, 0.00 an hour [0.00-" in result.stdout


@pytest.mark.parametrize(("content", "reason"), [(None, "cannot be read"), ("a\tb\n1\t2\n", "needs a header")])
def test_a_folder_without_a_manifest_is_an_error(tmp_path: Path, content: str | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "manifest.tsv").write_text(content, encoding="utf-8")
    result = bench("--folder", tmp_path)
    assert result.returncode == 1
    assert reason in result.stderr


def test_a_speaker_or_a_recording_that_does_not_exist(tmp_path: Path) -> None:
    folder = manifest(tmp_path, f"{RECORDING}\t今天天气不错\tA", "gone.wav\t今天天气不错\tB")
    assert "no line of the speaker 'C'" in bench("--folder", folder, "--speaker", "C").stderr
    gone = bench("--folder", folder)
    assert (gone.returncode, "gone.wav" in gone.stderr) == (1, True)


def test_sentences_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "talk.txt"
    file.write_text("# ours\n今天天气不错\n\n请慢走再见\n这张卡多少钱\n", encoding="utf-8")
    result = bench("--sentences", file, "--cer", "0", "--cer", "0.2")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("3 sentences, 0.00 h")
    assert "0.0% CER: 3 sentences, 0.00 h, 1 with a wording word for word" in result.stdout
    assert "20.0% CER: 9 sentences" in result.stdout


@pytest.mark.parametrize(
    ("content", "more", "reason"),
    [
        (b"# none\n", (), "has no sentences"),
        (b"\xff\n", (), "cannot be read as UTF-8"),
        (b"a\n", ("--model", "counter-cn"), "are for recordings"),
    ],
)
def test_a_file_without_sentences_is_an_error(
    tmp_path: Path, content: bytes, more: tuple[str, ...], reason: str
) -> None:
    file = tmp_path / "talk.txt"
    file.write_bytes(content)
    result = bench("--sentences", file, *more)
    assert (result.returncode, reason in result.stderr) == (1, True)


@pytest.mark.parametrize("name", ["counter_talk", "counter_talk_tuning", "lookalikes", "lookalikes_tuning"])
def test_tuning_sentences_and_reporting_sentences_of_the_bench_differ(name: str) -> None:
    other = name.removesuffix("_tuning") if name.endswith("_tuning") else f"{name}_tuning"
    lines, others = ((TOP / "bench" / f"{file}.txt").read_text(encoding="utf-8").splitlines() for file in (name, other))
    sentences = [line for line in lines if not line.startswith("#")]
    assert len(sentences) == len(set(sentences)) > 600
    assert not set(sentences) & set(others)
