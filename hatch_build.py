"""Compiles the matcher while a wheel is built; it takes a C compiler and half a minute. Without one it stays in Python.

    HATCH_BUILD_NO_HOOKS=1 pip install .       # in Python for certain: one wheel for every machine

mypyc makes extension modules of annotated Python. The same modules stay in the wheel as Python too, for people to read,
but the extensions are what is imported. They are made in a folder of their own: beside the sources of a checkout they
would go on being imported whatever is changed there. So an editable install is never compiled.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE: Final = "counter_listener"
COMPILED: Final = (
    "alignment",
    "beginnings",
    "candidates",
    "closeness",
    "competition",
    "contrary",
    "courtesy",
    "dictionary",
    "inside",
    "matching",
    "mishearing",
    "otherwise",
    "pinyin",
    "places",
    "refusals",
    "search",
    "spoken",
)
"""What works on every utterance. What workers and parent send each other is in other modules: a compiled frozen
dataclass cannot be pickled."""


class Compiling(BuildHookInterface[Any]):
    """What hatchling calls before and after it builds a wheel."""

    folder: TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds the extension modules to what goes into the wheel, where they can be made."""
        if version == "editable":
            return
        self.folder = TemporaryDirectory(prefix="counter-listener-")
        libraries = Path(self.folder.name) / "libraries"
        try:
            with chdir(self.root):
                compile_to(libraries, Path(self.folder.name) / "c")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - no compiler, half of one, one that it is too old for
            self.app.display_warning(f"The matcher is left in Python, about half as fast: {error}")
            return
        build_data["force_include"] |= {str(made): str(made.relative_to(libraries)) for made in extensions(libraries)}
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Takes away what was made on the way."""
        if self.folder:
            self.folder.cleanup()


def compile_to(libraries: Path, scratch: Path) -> None:
    """Compiles the modules of the checkout that is the current folder."""
    from mypyc.build import mypycify
    from setuptools import Distribution

    # What these modules import from other packages need not be installed where a wheel is built.
    options = ["--config-file=", "--ignore-missing-imports", f"--cache-dir={scratch / 'mypy'}"]
    modules = [f"{PACKAGE}/{name}.py" for name in COMPILED]
    made = mypycify([*options, *modules], target_dir=str(scratch))
    command = Distribution({"name": PACKAGE, "ext_modules": made}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(libraries), str(scratch / "objects")
    command.ensure_finalized()
    command.run()


def extensions(libraries: Path) -> Iterator[Path]:
    """The extension modules that were made: one with everything in it, and for each module one that leads there."""
    return libraries.rglob(f"*{sysconfig.get_config_var('EXT_SUFFIX')}")
