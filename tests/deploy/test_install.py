"""The installer of the bundle: install, upgrade, roll back, remove; and no index is reached."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.small_bundle import small_bundle

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the installer of Linux")
DEAD = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "PIP_INDEX_URL": "http://127.0.0.1:9/"}


class Place:
    """A computer on which bundles are installed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.to, self.units = folder, folder / "opt", folder / "units"
        self.env = {**os.environ, **DEAD, "HOME": str(folder)}

    def call(self, bundle: Path, *words: object) -> subprocess.CompletedProcess[str]:
        """What the installer of an unpacked bundle answers."""
        command = [sys.executable, bundle / "install.py", *words, "--to", self.to, "--units", self.units]
        return subprocess.run(
            [str(word) for word in command], capture_output=True, encoding="utf-8", check=False, env=self.env
        )

    def version(self) -> str:
        """What the installed program says when it is asked for its version."""
        return subprocess.check_output([self.to / "bin" / "counter-listener", "--version"], encoding="utf-8").strip()

    def versions(self) -> list[str]:
        """The folders of the versions that are kept."""
        return sorted(each.name for each in (self.to / "versions").iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A computer without a network."""
    return Place(tmp_path)


def test_a_bundle_is_installed_upgraded_rolled_back_and_removed(place: Place) -> None:
    first, second = (small_bundle(place.folder, version) for version in ("1.0", "2.0"))
    done = place.call(first, "install", "--service", "serve")
    assert (done.returncode, done.stderr) == (0, "")
    assert place.version() == "1.0"
    unit = (place.units / "counter-listener-serve.service").read_text()
    assert f"ExecStart={place.to}/bin/counter-listener serve" in unit
    assert (place.to / "share/applications/counter-listener.desktop").exists()

    record = place.folder / "events.db"
    record.write_text("a record")
    done = place.call(second, "install", "--record", record)
    assert (done.returncode, done.stderr) == (0, "")
    assert (place.version(), place.versions()) == ("2.0", ["1.0", "2.0"])
    assert (place.to / "backups/1.0/events.db").read_text() == "1.0 backed up a record"
    assert (place.units / "counter-listener-serve.service").exists(), "its services stay"

    assert place.call(second, "rollback").returncode == 0
    assert place.version() == "1.0"
    assert place.call(second, "uninstall").returncode == 0
    assert list(place.units.iterdir()) == []
    assert [each.name for each in place.to.iterdir()] == ["backups"], "what is not the program stays"
    assert record.read_text() == "a record"


@pytest.mark.slow
def test_a_version_that_does_not_work_takes_nobodys_place(place: Place) -> None:
    assert place.call(small_bundle(place.folder, "1.0"), "install").returncode == 0
    broken = place.call(small_bundle(place.folder, "2.0", demo=3), "install")
    assert broken.returncode == 1
    assert "does not recognise the bundled recordings" in broken.stderr
    assert len(broken.stderr.splitlines()) == 1
    assert (place.version(), place.versions()) == ("1.0", ["1.0"])
    refused = place.call(place.folder / "1.0", "rollback")
    assert (refused.returncode, "no version before 1.0" in refused.stderr) == (1, True)


@pytest.mark.parametrize("harm", ["changed", "lost", "added", "other python"])
def test_a_bundle_that_is_not_as_it_was_packed_is_refused(place: Place, harm: str) -> None:
    bundle = small_bundle(place.folder, "1.0", python="3.99" if harm == "other python" else "3.11")
    wheel = next((bundle / "wheels").iterdir())
    if harm == "changed":
        wheel.write_bytes(wheel.read_bytes() + b"x")
    elif harm == "lost":
        wheel.unlink()
    elif harm == "added":
        (bundle / "wheels" / "more.whl").write_bytes(b"")
    refused = place.call(bundle, "install")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    expected = {"changed": wheel.name, "lost": "was lost", "added": "more.whl was added", "other python": "Python 3.99"}
    assert expected[harm] in refused.stderr
    assert not place.to.exists()


def test_nothing_is_removed_where_nothing_was_installed(place: Place) -> None:
    bundle = small_bundle(place.folder, "1.0")
    place.to.mkdir()
    (place.to / "mine.txt").write_text("precious")
    refused = place.call(bundle, "uninstall")
    assert (refused.returncode, "holds no installation" in refused.stderr) == (1, True)
    assert (place.to / "mine.txt").read_text() == "precious"


def test_the_shell_script_finds_the_python_of_the_bundle(place: Place) -> None:
    right, wrong = small_bundle(place.folder, "1.0"), small_bundle(place.folder, "2.0", python="3.99")
    env = {**place.env, "PATH": f"{Path(sys.executable).parent}:{place.env['PATH']}"}
    for bundle, code in ((right, 0), (wrong, 1)):
        done = subprocess.run(
            ["sh", str(bundle / "install.sh"), "verify"], capture_output=True, encoding="utf-8", check=False, env=env
        )
        assert done.returncode == code, done.stderr
