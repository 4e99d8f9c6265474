"""Renders the templates: texts in the reader's language, times, numbers, links, and what stands around every page."""

from __future__ import annotations

import gettext
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from counter_listener import __version__
from counter_listener.domain import (
    DOMAIN,
    LOCALE,
    N_,
    Lang,
    Sentence,
    format_duration,
    printable,
    written,
)
from counter_listener.reports import cell_text
from counter_listener.web.context import lang_of, person_of, site_of
from counter_listener.web.rights import ROLES, may_use
from counter_listener.web.security import csrf_token

HERE: Final = Path(__file__).resolve().parent
STATIC: Final = HERE / "static"
FLASH: Final = "flash"
THEMES: Final = {"auto": N_("as the system"), "light": N_("light"), "dark": N_("dark")}


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts in one language."""

    lang: Lang
    _translations: gettext.NullTranslations

    def _(self, text: str) -> str:
        """The text in this language."""
        return self._translations.gettext(text) if text else ""

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """The form for `count`, with its field `count` filled."""
        return self._translations.ngettext(singular, plural, count).format(count=count)


@dataclass(frozen=True, slots=True)
class NavItem:
    """A page in the navigation."""

    path: str
    title: str
    icon: str


NAVIGATION: Final = (
    NavItem("/", N_("Overview"), "overview"),
    NavItem("/visits", N_("Visits"), "visits"),
    NavItem("/review", N_("Review"), "review"),
    NavItem("/appeals", N_("Appeals"), "appeals"),
    NavItem("/samples", N_("Sampling"), "samples"),
    NavItem("/manner", N_("Manner"), "manner"),
    NavItem("/machine", N_("How right is the machine"), "machine"),
    NavItem("/phrases", N_("Phrase set"), "phrases"),
    NavItem("/practice", N_("Practice"), "practice"),
    NavItem("/jobs", N_("Check recordings"), "jobs"),
    NavItem("/counters", N_("Counters"), "counters"),
    NavItem("/retention", N_("Retention"), "retention"),
    NavItem("/accounts", N_("Accounts"), "accounts"),
    NavItem("/system", N_("System"), "system"),
)
"""Every page that a menu leads to. Who may not use one, and what is not there, sees no entry."""


@cache
def texts(lang: Lang) -> Texts:
    """The texts in a language."""
    return Texts(lang, gettext.translation(DOMAIN, LOCALE, languages=[lang], fallback=True))


def texts_of(request: Request) -> Texts:
    """The texts in the language of the reader."""
    return texts(lang_of(request))


@cache
def make_templates() -> Environment:
    """The environment of the templates. They escape all names and words, and remove their control characters.

    There is one in a process, however many sites: to compile all templates takes half a second.
    """
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    made.filters["written"] = lambda words: written(words or "")
    made.globals.update(
        asset=asset, icon=icon, with_query=with_query, duration=format_duration, path_part=path_part, roles=ROLES
    )
    return made


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401
    """A page."""
    return HTMLResponse(render_text(request, template, **values), status)


def render_text(request: Request, template: str, **values: Any) -> str:  # noqa: ANN401
    """The text of a page, or of a part of one."""
    site, told, person = site_of(request), texts_of(request), person_of(request)
    shared = {
        "_": told._,
        "ngettext": told.ngettext,
        "lang": told.lang,
        "html_lang": "zh-CN" if told.lang == "zh" else "en",
        "person": person,
        "navigation": [item for item in NAVIGATION if f"GET {item.path}" in site.routes] if person else [],
        "may": lambda route: person is not None and may_use(person.role, route, person.sight),
        "csrf": csrf_token(request),
        "nonce": request.state.nonce,
        "here": request.url.path,
        "query": request.query_params,
        "flash": request.session.pop(FLASH, None),
        "theme": theme_of(request),
        "themes": THEMES,
        "version": __version__,
        "demo": site.settings.demo,
        "local": site.settings.accounts is None,
        "time": time_element,
        "cell": lambda value, kind: cell_text(value, kind, told._),
    }
    return site.templates.get_template(template).render({**shared, **values})


def theme_of(request: Request) -> str:
    """The chosen colours."""
    chosen: str = request.session.get("theme", "auto")
    return chosen if chosen in THEMES else "auto"


def flash(request: Request, text: str | Sentence, *, good: bool = True) -> None:
    """Shows a sentence on the next page that this browser gets."""
    told = texts_of(request)
    shown = text.translated(told._) if isinstance(text, Sentence) else told._(text)
    request.session[FLASH] = {"text": shown, "good": good}


def time_element(moment: datetime | None, form: str = "minute") -> Markup:
    """A time, written in the zone of this machine until a script of the page writes it in the reader's zone.

    `form` is `minute`, `second`, `day` or `hour`.
    """
    if moment is None:
        return Markup("–")
    shapes = {"minute": "%Y-%m-%d %H:%M", "second": "%Y-%m-%d %H:%M:%S", "day": "%Y-%m-%d", "hour": "%H:%M"}
    shown = moment.astimezone().strftime(shapes[form])
    return Markup('<time datetime="{}" data-form="{}">{}</time>').format(moment.isoformat(), form, shown)


def icon(name: str) -> Markup:
    """A drawing of the sprite; for the eye alone, since a text always stands beside it or in its label."""
    sprite = asset("icons.svg")
    return Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>').format(
        sprite, name
    )


@cache
def asset(name: str) -> str:
    """The address of a static file, which changes with its content, so that browsers may keep it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def path_part(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")


def with_query(query: Mapping[str, str] | Iterable[tuple[str, str]], **changes: object) -> str:
    """A query with some fields changed; None or nothing removes a field."""
    pairs = query.multi_items() if hasattr(query, "multi_items") else list(dict(query).items())
    kept = [(name, value) for name, value in pairs if name not in changes and name != "lang" and value]
    added = [(name, str(value)) for name, value in changes.items() if value not in (None, "")]
    return "?" + urlencode(kept + added)
