"""Who may do what: the roles, and one table of every route with the roles that may use it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from counter_listener.domain import N_
from counter_listener.record import AccountRole, Sight

Role = AccountRole | Literal["local"]
ROLES: Final[Mapping[Role, str]] = {
    "clerk": N_("clerk"),
    "reviewer": N_("reviewer"),
    "supervisor": N_("supervisor"),
    "administrator": N_("administrator"),
    "auditor": N_("auditor"),
    "local": N_("this computer"),
}
"""What people call each role. `local` is who opened the one-time link on the machine itself; accounts never have it."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in."""

    name: str
    role: Role
    sight: Sight = Sight()  # noqa: RUF009 - it is frozen
    """What this person may see: everything, one counter, one branch or one region."""


def _roles(*roles: Role) -> frozenset[Role]:
    return frozenset((*roles, "local"))


PUBLIC: Final = frozenset(
    {
        "GET /static/{path:path}",
        "GET /sign-in",
        "POST /sign-in",
        "GET /sign-in/once",
        "POST /settings",
        "GET /api/v1/openapi.json",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "POST /api/v1/enrol",
    }
)
"""Routes for everybody, also without sign-in. None of them shows anything of the record, but /metrics, which decides
by itself: it is for programs on this machine, or with a token of its own."""
FOR_COUNTERS: Final = frozenset({"POST /api/v1/receive", "POST /api/v1/handed", "POST /api/v1/clips"})
"""Routes that want the token of a counter, which no person has."""
SEE_VISITS: Final = _roles("clerk", "reviewer", "supervisor", "auditor")
"""Who may see visits: a clerk those of one counter."""
REVIEW: Final = _roles("reviewer", "supervisor")
"""Who may give a word on a verdict."""
PRACTISE: Final = _roles("clerk", "reviewer", "supervisor")
"""Who may practise. What somebody practised, nobody else sees."""
SEE_SETS: Final = _roles("reviewer", "supervisor", "auditor")
"""Who may see what is asked, and try a sentence."""
CHANGE_SETS: Final = _roles("supervisor")
JOBS: Final = _roles("supervisor", "administrator")
"""Who may have the recordings of a folder on the server checked, and see which could not be read."""
SEE_COUNTERS: Final = _roles("supervisor", "administrator", "auditor")
"""Who may see how the counters are: those of their branch or region."""
RULE: Final = _roles("supervisor", "administrator")
"""Who may say how long something is kept, and what must not be removed: of all that their account sees."""
SIGNED_IN: Final = _roles("clerk", "reviewer", "supervisor", "administrator", "auditor")
RIGHTS: Final[Mapping[str, frozenset[Role]]] = {
    "GET /": SIGNED_IN,
    "GET /visits": SEE_VISITS,
    "GET /visits/export.xlsx": SEE_VISITS,
    "GET /visits/export.csv": SEE_VISITS,
    "GET /visits/{visit}": SEE_VISITS,
    "GET /visits/{visit}/audio": SEE_VISITS,
    "GET /visits/{visit}/peaks.json": SEE_VISITS,
    "GET /visits/{visit}/near": SEE_VISITS,
    "GET /visits/{visit}/clips/{number}": SEE_VISITS,
    "POST /visits/{visit}/clips": REVIEW,
    "POST /visits/{visit}/reviews": REVIEW,
    "GET /review": REVIEW,
    "POST /review": REVIEW,
    "GET /appeals": SEE_VISITS,
    "POST /visits/{visit}/appeals": _roles("clerk"),
    "POST /appeals/withdraw": _roles("clerk"),
    "POST /appeals/decide": _roles("supervisor"),
    "GET /samples": _roles("reviewer", "supervisor", "auditor"),
    "POST /samples": _roles("supervisor"),
    "GET /manner": SEE_VISITS,
    "GET /machine": _roles("reviewer", "supervisor", "auditor"),
    "GET /practice": PRACTISE,
    "GET /practice/{dialogue}": PRACTISE,
    "POST /practice/{dialogue}/answer": PRACTISE,
    "POST /practice/spoken": PRACTISE,
    "POST /practice/forget": PRACTISE,
    "GET /phrases": SEE_SETS,
    "GET /phrases/entry": SEE_SETS,
    "GET /phrases/changes": SEE_SETS,
    "GET /phrases/export.xlsx": SEE_SETS,
    "POST /phrases/try": SEE_SETS,
    "POST /phrases/spoken": SEE_SETS,
    "POST /phrases/entry": CHANGE_SETS,
    "POST /phrases/remove": CHANGE_SETS,
    "POST /phrases/import": CHANGE_SETS,
    "POST /phrases/changes": CHANGE_SETS,
    "POST /phrases/force": CHANGE_SETS,
    "GET /jobs": JOBS,
    "GET /jobs/list": JOBS,
    "GET /jobs/{job}/failed.csv": JOBS,
    "POST /jobs": JOBS,
    "POST /jobs/cancel": JOBS,
    "POST /system/notify": _roles("supervisor", "administrator"),
    "GET /system": _roles("supervisor", "administrator", "auditor"),
    "POST /system/verify": _roles("supervisor", "administrator", "auditor"),
    "POST /system/tokens": _roles("administrator"),
    "POST /system/tokens/revoke": _roles("administrator"),
    "GET /counters": SEE_COUNTERS,
    "GET /fleet": SEE_COUNTERS,
    "POST /counters": _roles("administrator"),
    "POST /counters/code": _roles("administrator"),
    "POST /counters/accept": _roles("administrator"),
    "POST /counters/close": _roles("administrator"),
    "GET /retention": _roles("supervisor", "administrator", "auditor"),
    "POST /retention/rules": RULE,
    "POST /retention/holds": RULE,
    "POST /retention/lift": RULE,
    "POST /sign-out": SIGNED_IN,
    "GET /api/v1/visits": SEE_VISITS,
    "GET /api/v1/visits/{visit}": SEE_VISITS,
    "GET /api/v1/visits/{visit}/reviews": SEE_VISITS,
    "POST /api/v1/visits/{visit}/reviews": REVIEW,
    "GET /api/v1/events": SEE_VISITS,
    "GET /api/v1/reviews": SEE_VISITS,
    "GET /api/v1/figures": SEE_VISITS,
    "GET /api/v1/machine": _roles("reviewer", "supervisor", "auditor"),
}
"""Method and path of each route that needs sign-in, and the roles that may use it. What is not listed, nobody may.
Those below /api want a token instead, which has the role of its account."""


WHOLE: Final = frozenset(
    {
        *("GET /system", "POST /system/verify", "POST /system/tokens", "POST /system/tokens/revoke"),
        *("GET /phrases/changes", "POST /phrases/changes", "POST /phrases/force", "POST /phrases/entry"),
        *("POST /phrases/remove", "POST /phrases/import"),
    }
)
"""Routes about the record as a whole: not for accounts that see a part of it."""


def may_use(role: Role, route: str, sight: Sight = Sight()) -> bool:  # noqa: B008 - it is frozen
    """Whether a role may use a route, given as in RIGHTS, if its account sees so much."""
    if route in PUBLIC:
        return True
    return role in RIGHTS.get(route, frozenset()) and not (sight.is_limited and route in WHOLE)


def unlisted(routes: Iterable[str]) -> Iterator[str]:
    """Those of the routes that no table lists, so that nobody could use them."""
    return (route for route in routes if not any(route in table for table in (PUBLIC, RIGHTS, FOR_COUNTERS)))
