"""Sends an anchor to a server."""

from counter_listener.domain import SendError, sentence, url_without_secrets
from counter_listener.record.heads import Head
from counter_listener.record.posting import Poster


def send_anchor(url: str, head: Head) -> None:
    """Sends an anchor with POST, as JSON. An answer from 200 to 299 means that the server has stored it.

    Plain HTTP is accepted only to this computer, and no redirect is followed. Raises UsageError for another URL and
    SendError if the server cannot be reached or does not take it.
    """
    with Poster() as poster:
        answer = poster.post(url, head.as_json().encode())
    if not answer.ok:
        where = url_without_secrets(url)
        why = sentence("the server answers {status} {reason}", status=answer.status, reason=answer.reason)
        raise SendError("{where} did not take the anchor: {why}.", where=where, why=why)
