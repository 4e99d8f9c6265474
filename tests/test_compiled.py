"""The compiled matcher: it finds what the one in Python finds, and its results go from worker to parent."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
MODULES = ("alignment", "matching", "search")
FINDS = """
import importlib, random, sys
from misheard import Ledger, misheard
from visits import visits
from counter_listener.matcher import prepare
from counter_listener.matching import match
from counter_listener.phrases import find_phrase_set, read_phrase_set

for module in sys.argv[1:]:
    print(importlib.import_module(f"counter_listener.{module}").__file__, file=sys.stderr)
bank = read_phrase_set(find_phrase_set("bank-counter"))[0]
matcher, rng = prepare(bank), random.Random(7)
for visit in visits(bank, "tuning", 7, 20):
    wrong = [misheard(utterance, 0.3, rng, Ledger()) for utterance in visit.utterances]
    for heard in (visit.utterances, [utterance for utterance in wrong if utterance]):
        for item in match(heard, matcher):
            print(item)
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as a compiled wheel holds it."""
    unpacked = tmp_path_factory.mktemp("unpacked")
    wheel = built(tmp_path_factory.mktemp("wheel"))
    assert not wheel.name.endswith("-none-any.whl")
    zipfile.ZipFile(wheel).extractall(unpacked)
    return unpacked


def built(folder: Path, **environment: str) -> Path:
    """The wheel, as an install from the sources makes it."""
    build = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT)
    subprocess.run(build, env={**os.environ, **environment}, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def run(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    where = {**os.environ, "PYTHONPATH": os.pathsep.join((str(package), str(ROOT / "bench"))), "PYTHONHASHSEED": "0"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=where, cwd=package, capture_output=True, text=True, check=True)


def test_it_finds_what_the_one_in_python_finds(compiled: Path) -> None:
    quick, plain = (run(package, "-c", FINDS, *MODULES) for package in (compiled, ROOT))
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    assert [line.endswith(suffix) for line in quick.stderr.split()] == [True] * len(MODULES)
    assert [line.endswith(".py") for line in plain.stderr.split()] == [True] * len(MODULES)
    assert quick.stdout == plain.stdout
    assert "score=" in quick.stdout


def test_workers_and_parent_understand_each_other(compiled: Path) -> None:
    recordings = [str(ROOT / "tests" / "fixtures" / f"{name}.wav") for name in ("no-greeting", "full-marks")]
    check = ("-m", "counter_listener", "check", *recordings, "--jobs", "2", "--format", "jsonl", "--store", "none")
    quick, plain = (run(package, *check) for package in (compiled, ROOT))
    assert quick.stdout == plain.stdout
    assert {json.loads(line)["verdict"] for line in quick.stdout.splitlines()} >= {"heard", "not_heard"}


def test_the_doctor_tells_which_it_is(compiled: Path) -> None:
    asked = ("-c", "from counter_listener import doctor; print(doctor.python().said)")
    quick, plain = (run(package, *asked) for package in (compiled, ROOT))
    assert "the matcher compiled" in quick.stdout
    assert "the matcher" not in plain.stdout


def test_without_a_compiler_it_is_installed_in_python(tmp_path: Path) -> None:
    assert built(tmp_path, CC=shutil.which("false") or "no-compiler").name.endswith("-none-any.whl")


@pytest.mark.usefixtures("compiled")
def test_nothing_compiled_is_left_beside_the_sources() -> None:
    assert not list((ROOT / "counter_listener").glob(f"*{sysconfig.get_config_var('EXT_SUFFIX')}"))
