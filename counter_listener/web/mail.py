"""Sends mail. The password is read when it is needed, and stands in no sentence and no log."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Final

from counter_listener.domain import ReportError, system_reason
from counter_listener.web.server_file import PASSWORD, MailTable, secret

PORTS: Final[Mapping[str, int]] = {"starttls": 587, "tls": 465, "none": 25}
PATIENCE: Final = 30.0
"""Seconds for each answer of the mail server."""
TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "html": ("text", "html"),
    "xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


def make_message(  # noqa: PLR0913 - one for each part of it
    sender: str, to: str, subject: str, text: str, files: Mapping[str, bytes], seconds: float
) -> EmailMessage:
    """A message of `seconds` after 1970, with files by their names."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"], message["Message-ID"] = formatdate(seconds, localtime=True), make_msgid(domain="counter-listener")
    message.set_content(text)
    for name, content in files.items():
        kind, subtype = TYPES[name.rpartition(".")[2]]
        message.add_attachment(content, maintype=kind, subtype=subtype, filename=name)
    return message


@contextmanager
def mail_server(mail: MailTable) -> Iterator[smtplib.SMTP]:
    """The mail server, signed in. Raises ReportError, ConfigError."""
    port = mail.port or PORTS[mail.security]
    password = secret(mail.password_file, mail.password_variable, PASSWORD)
    try:
        trust = ssl.create_default_context(cafile=mail.ca_file or None)
        if mail.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(mail.host, port, timeout=PATIENCE, context=trust)
        else:
            server = smtplib.SMTP(mail.host, port, timeout=PATIENCE)
        with server:
            if mail.security == "starttls":
                server.starttls(context=trust)
            if mail.user:
                server.login(mail.user, password)
            yield server
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        why = f"{error.smtp_code} {said}"[:200].replace(password or "\0", "***")
        raise _not_taken(mail, why) from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = [f"{code} {said.decode('utf-8', 'replace')}" for code, said in error.recipients.values()]
        raise _not_taken(mail, ", ".join(codes)[:200]) from None
    except (OSError, ValueError) as error:  # smtplib's own errors are OSErrors
        raise _not_taken(mail, system_reason(error)) from None


def _not_taken(mail: MailTable, why: object) -> ReportError:
    return ReportError("The mail server {host} does not take the message ({why})", host=mail.host, why=why)
