"""Renders tables and other views as text for this terminal."""

import io
from collections.abc import Iterable
from typing import Any, cast

from rich.console import Console, RenderableType


def printed(parts: Iterable[RenderableType], least_width: int = 0) -> str:
    """The parts as text with the colours and width of this terminal, or with lines of `least_width` characters.

    Nothing is written here: Console.capture() touches standard output at its end, and a full disk fails there.
    """
    terminal, text = Console(), io.StringIO()
    console = Console(
        file=text,
        width=max(terminal.width, least_width),
        force_terminal=terminal.is_terminal,
        color_system=cast("Any", terminal.color_system),
        no_color=terminal.no_color,
        legacy_windows=terminal.legacy_windows,
        highlight=False,
    )
    for part in parts:
        console.print(part)
    return text.getvalue()
