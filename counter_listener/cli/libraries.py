"""Whether libraries can be loaded, each by a plain import of its own: no code is ever loaded by a name made up here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final


def _vosk() -> None:
    import vosk  # noqa: F401


def _av() -> None:
    import av  # noqa: F401


def _rapidfuzz() -> None:
    import rapidfuzz  # noqa: F401


def _pypinyin() -> None:
    import pypinyin  # noqa: F401


def _pydantic() -> None:
    import pydantic  # noqa: F401


def _sqlalchemy() -> None:
    import sqlalchemy  # noqa: F401


def _alembic() -> None:
    import alembic  # noqa: F401


def _rich() -> None:
    import rich  # noqa: F401


def _psutil() -> None:
    import psutil  # noqa: F401


def _filelock() -> None:
    import filelock  # noqa: F401


LIBRARIES: Final[Mapping[str, Callable[[], None]]] = {
    "vosk": _vosk,
    "av": _av,
    "rapidfuzz": _rapidfuzz,
    "pypinyin": _pypinyin,
    "pydantic": _pydantic,
    "SQLAlchemy": _sqlalchemy,
    "alembic": _alembic,
    "rich": _rich,
    "psutil": _psutil,
    "filelock": _filelock,
}
"""What loads each distribution, or raises whatever it raises; sounddevice is looked at apart, it may lack PortAudio."""
