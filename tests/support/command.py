"""Runs the program as a user does, in this process or as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from counter_listener.cli import cli

FULL_VISIT = (
    (0.0, 2.0, "您好，欢迎光临"),
    (2.5, 5.0, "请问您要办理什么业务"),
    (6.0, 8.0, "我要取两万块钱"),
    (9.0, 11.0, "请出示您的身份证"),
    (20.0, 23.0, "您的业务已经办理完成，请收好您的证件"),
    (25.0, 27.0, "再见，请慢走"),
)
RUDE_VISIT = ((0.0, 2.0, "我要取两万块钱"), (3.0, 5.0, "这个不归我管"), (6.0, 8.0, "出示身份证"))


def run(*words: object, typed: str | None = None) -> Result:
    """The exit code and output of the program, run in this process. A traceback fails the test."""
    result = CliRunner().invoke(cli, [str(word) for word in words], input=typed)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def program(*words: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """The exit code and output of the program as a process of its own."""
    command = [sys.executable, "-m", "counter_listener", *map(str, words)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=120, **options)


def transcript(file: Path, lines: Iterable[tuple[float, float, str]] = FULL_VISIT, **more: object) -> Path:
    """Writes a transcript to a file."""
    entries = ({"start": start, "end": end, "text": text, **more} for start, end, text in lines)
    file.write_text("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries), encoding="utf-8")
    return file


def events(result: Result) -> list[dict[str, Any]]:
    """The events that `--format jsonl` printed."""
    return [json.loads(line) for line in result.stdout.splitlines()]
