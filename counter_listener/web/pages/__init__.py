"""The pages, one module each, with their routes. Rights are in rights.py, texts in the templates."""

from typing import Final

from fastapi import APIRouter

from counter_listener.web.pages import (
    appeals,
    clips,
    counters,
    jobs,
    machine,
    manner,
    overview,
    phrases,
    phrases_try,
    practice,
    probes,
    retention,
    review,
    samples,
    sign_in,
    static,
    system,
    visit,
    visits,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    static.router,
    sign_in.router,
    overview.router,
    visits.router,
    visit.router,
    clips.router,
    review.router,
    appeals.router,
    samples.router,
    machine.router,
    manner.router,
    phrases.router,
    phrases_try.router,
    practice.router,
    jobs.router,
    counters.router,
    retention.router,
    system.router,
    probes.router,
)
