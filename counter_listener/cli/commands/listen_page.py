"""The page beside the clerk, as `listen --page` opens it."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from counter_listener.cli.commands.serve import has_window, require_web
from counter_listener.cli.log import Log
from counter_listener.domain import _, current_language
from counter_listener.live import Config, ScreenState, Supervisor


@dataclass(frozen=True, slots=True)
class OpenPage:
    """A page that is served."""

    link: str
    draw: Callable[[], None]
    """Shows the state as it is now."""


@contextmanager
def page_beside(
    state: ScreenState, supervisor: Supervisor, config: Config, log: Log, *, open_it: bool
) -> Iterator[OpenPage]:
    """Serves the page, tells its address, and opens it. Raises UsageError without the extra, and ConfigError."""
    require_web()
    from counter_listener.cli.terminal.page_state import page_state
    from counter_listener.web import LivePage, serve_page

    page = LivePage(current_language(), lambda order: supervisor.inbox.put(("order", order)))
    with serve_page(page, config.page_port) as link:
        log("page", _("The page is here: {link}").format(link=link), err=True)
        if open_it and has_window():
            webbrowser.open(link)
        yield OpenPage(link, lambda: page.publish(page_state(state)))
