"""The offline bundle: what it holds for which computer, that it is complete, and that it installs without a network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from bundle_lock import BundleError, Target, locked_for, missing, sha256
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from offline_bundle import PLATFORMS, PYTHONS, TOP, make_bundle
from packaging.requirements import Requirement
from support.small_bundle import make_wheel, small_bundle

LOCK = (TOP / "requirements.lock").read_text(encoding="utf-8")
HASH = "0" * 64
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
TARGETS = [Target(platform, python) for platform in PLATFORMS for python in PYTHONS]


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_what_the_program_needs_is_in_the_lock_file_for_every_computer(target: Target) -> None:
    names = {str(one.name): one.version for one in locked_for(LOCK, target)}
    project = (TOP / "pyproject.toml").read_text(encoding="utf-8")
    needed = re.findall(
        r'"([a-z][\w.-]+>=[\d.]+(?:; [^"]+)?)"', project.partition("dependencies = [")[2].partition("\n]")[0]
    )
    assert len(needed) > 20
    for text in needed:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(dict(target.markers)):
            assert requirement.specifier.contains(names[requirement.name]), text
    assert ("colorama" in names) == (target.platform == "win_amd64")


def test_markers_are_those_of_the_target_and_not_of_this_computer() -> None:
    lock = f"""# made by hand
one==1.0 ; sys_platform == 'win32' \\
    --hash=sha256:{HASH}
    # via two
two==1.0 ; python_full_version < '3.12' --hash=sha256:{HASH}
two==2.0 ; python_full_version >= '3.12' --hash=sha256:{HASH}
"""
    found = {
        (target.platform, target.python): [(one.name, one.version) for one in locked_for(lock, target)]
        for target in TARGETS
    }
    assert found["win_amd64", "3.11"] == [("one", "1.0"), ("two", "1.0")]
    assert found["manylinux", "3.13"] == [("two", "2.0")]
    with pytest.raises(BundleError, match="two==1"):
        locked_for("two==1.0\n", TARGETS[0])


@pytest.mark.parametrize(
    ("wheel", "fits"),
    [
        ("one-1.0-py3-none-any.whl", True),
        ("one-1.0-cp312-cp312-win_amd64.whl", True),
        ("one-1.0-cp311-abi3-win_amd64.whl", True),
        ("one-1.0-cp313-cp313-win_amd64.whl", False),
        ("one-1.0-cp312-cp312-win32.whl", False),
        ("one-1.0-cp312-cp312-manylinux_2_28_x86_64.whl", False),
        ("one-1.1-py3-none-any.whl", False),
    ],
)
def test_a_wheel_fits_or_is_told_as_missing(wheel: str, fits: bool, tmp_path: Path) -> None:  # noqa: FBT001
    file = tmp_path / wheel
    file.write_bytes(b"content")
    target = Target("win_amd64", "3.12")
    (locked,) = locked_for(f"one==1.0 --hash=sha256:{sha256(file)}\n", target)
    assert (missing([locked], [file], target) == []) is fits
    file.write_bytes(b"other content")
    assert missing([locked], [file], target) != []
    assert missing([locked], [], target) == ["one 1.0 has no wheel that fits"]


def test_manylinux_goes_from_old_to_new() -> None:
    platforms = Target("manylinux", "3.12").platforms
    assert platforms[0] == "manylinux_2_28_x86_64"
    assert {"manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux1_x86_64"} <= set(platforms)


def test_the_same_sources_give_the_same_bytes_and_every_file_is_in_the_checksums(tmp_path: Path) -> None:
    zips = []
    for name in ("one", "two"):
        bundle = small_bundle(tmp_path / name, "1.0")
        zips.append((tmp_path / name / "1.0.zip").read_bytes())
    assert zips[0] == zips[1]
    listed = {line.split("  ")[1] for line in (bundle / "SHA256SUMS").read_text().splitlines()}
    files = {file.relative_to(bundle).as_posix() for file in bundle.rglob("*") if file.is_file()}
    assert files == listed | {"SHA256SUMS"}
    assert {"install.sh", "install.py", "README.md", "README.zh-CN.md", "bundle.json", "sbom.cdx.json"} <= files
    assert not [name for name in files if name.startswith("windows/") or name.endswith(".ps1")]


def test_the_bill_of_materials_names_every_wheel_with_its_licence(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path, "1.0")
    told = json.loads((bundle / "sbom.cdx.json").read_text())
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    (component,) = told["components"]
    wheel = make_wheel(tmp_path, "1.0", 0)
    assert component["hashes"] == [{"alg": "SHA-256", "content": sha256(wheel)}]
    assert component["purl"] == "pkg:pypi/counter-listener@1.0"
    assert component["licenses"] == [{"license": {"name": "MIT"}}]


def test_the_bill_of_materials_is_what_the_schema_of_cyclonedx_asks_for(tmp_path: Path) -> None:
    told = (small_bundle(tmp_path, "1.0") / "sbom.cdx.json").read_text(encoding="utf-8")
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(told) is None
    assert validator.validate_str(told.replace('"components"', '"parts"')) is not None


@pytest.mark.slow
def test_the_bundle_for_windows_is_complete(tmp_path: Path) -> None:
    target = Target("win_amd64", "3.13")
    with zipfile.ZipFile(make_bundle(target, tmp_path)) as packed:
        names = [Path(name) for name in packed.namelist()]
        (bom,) = [json.loads(packed.read(str(name))) for name in names if name.name == "sbom.cdx.json"]
        packed.extractall(tmp_path)
    wheels = [tmp_path / name for name in names if name.suffix == ".whl"]
    assert missing(locked_for(LOCK, target), wheels, target) == []
    assert len(wheels) == len(locked_for(LOCK, target)) + 1
    told = {component["name"] for component in bom["components"]}
    assert {"counter-cn", "htmx", "vosk", "srt", "numpy"} <= told
    assert {"install.ps1", "shortcut.ps1", "listen.xml"} <= {name.name for name in names}


@pytest.mark.slow
def test_the_bundle_for_linux_installs_where_there_is_no_network(tmp_path: Path) -> None:
    packed = make_bundle(Target("manylinux", HERE), tmp_path)
    with zipfile.ZipFile(packed) as content:
        content.extractall(tmp_path)
    bundle = packed.with_suffix("") if packed.with_suffix("").is_dir() else tmp_path / packed.stem
    to = tmp_path / "opt"
    alone = ["unshare", "--net"] if shutil.which("unshare") and not os.getuid() else []
    dead = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "PIP_NO_INDEX": "1"}
    env = {**os.environ, **dead, "HOME": str(tmp_path), "COLUMNS": "200"}
    install = [*alone, sys.executable, bundle / "install.py", "install", "--to", to, "--units", tmp_path / "units"]
    done = subprocess.run(list(map(str, install)), capture_output=True, encoding="utf-8", check=False, env=env)
    assert done.returncode == 0, done.stderr
    shown = subprocess.run([*alone, to / "bin" / "counter-listener", "demo"], capture_output=True, check=False, env=env)
    assert "4 checked" in shown.stdout.decode()
