"""Who is signed in. Sessions are kept in memory: they end with the server, and at once when somebody signs out."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from counter_listener.web.rights import Person


@dataclass(frozen=True, slots=True)
class Session:
    """One browser of somebody who is signed in."""

    person: Person
    began: datetime
    used: datetime


class Sessions:
    """The sessions of a server, by the secret in the cookie of the browser."""

    def __init__(self, idle: timedelta, longest: timedelta) -> None:
        self._idle, self._longest = idle, longest
        self._sessions: dict[str, Session] = {}
        self._lock = Lock()

    def begin(self, person: Person, now: datetime) -> str:
        """Begins a session, and returns its secret."""
        secret = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions = {key: one for key, one in self._sessions.items() if not self._has_ended(one, now)}
            self._sessions[secret] = Session(person, now, now)
        return secret

    def find(self, secret: str | None, now: datetime) -> Session | None:
        """The session, which has now been used; None if there is none, or it has ended."""
        with self._lock:
            session = self._sessions.get(secret or "")
            if session is None or secret is None:
                return None
            if self._has_ended(session, now):
                del self._sessions[secret]
                return None
            self._sessions[secret] = session = replace(session, used=now)
            return session

    def end(self, secret: str | None) -> None:
        """Ends a session."""
        with self._lock:
            self._sessions.pop(secret or "", None)

    def persons(self, now: datetime) -> list[Person]:
        """Who is signed in now, each once, in the order in which they came."""
        with self._lock:
            return list(dict.fromkeys(one.person for one in self._sessions.values() if not self._has_ended(one, now)))

    def _has_ended(self, session: Session, now: datetime) -> bool:
        return now - session.used > self._idle or now - session.began > self._longest
