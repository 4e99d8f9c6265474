"""A real SMTP server on this machine, with TLS and sign-in, and the faults that a test asks for."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

import trustme

AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("localhost")


@dataclass
class MailBox:
    """What arrived, and how the server answers."""

    user: str = ""
    """Who must sign in; empty for nobody."""
    password: str = ""
    implicit: bool = False
    """Whether TLS begins with the connection, else with STARTTLS."""
    refuse: list[str] = field(default_factory=list)
    """Addresses that it does not know."""
    full: bool = False
    """Whether it takes no message for now."""
    messages: list[EmailMessage] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    """Of each message: whether it came over TLS."""
    port: int = 0


class Handler(socketserver.StreamRequestHandler):
    """One connection."""

    box: MailBox
    encrypted = False

    def handle(self) -> None:
        if self.box.implicit:
            self.encrypt()
        self.say("220 localhost")
        to: list[str] = []
        signed_in = not self.box.user
        while line := self.rfile.readline():  # that of the moment: STARTTLS replaces it
            verb, _, rest = line.decode("utf-8").strip().partition(" ")
            verb = verb.upper()
            if verb in ("EHLO", "HELO"):
                self.say("250-localhost", "250-STARTTLS", "250 AUTH PLAIN") if verb == "EHLO" else self.say(
                    "250 localhost"
                )
            elif verb == "STARTTLS":
                self.say("220 go on")
                self.encrypt()
            elif verb == "AUTH":
                given = base64.b64decode(rest.partition(" ")[2]).split(b"\0")[1:]
                signed_in = given == [self.box.user.encode(), self.box.password.encode()]
                self.say("235 welcome" if signed_in else f"535 wrong password {given[1].decode()}")
            elif verb == "MAIL":
                self.say("250 ok" if signed_in else "530 sign in first")
            elif verb == "RCPT":
                to = [rest.partition(":<")[2].rstrip(">")]
                self.say("550 unknown here" if to[0] in self.box.refuse else "250 ok")
            elif verb == "DATA":
                self.take()
            else:
                self.say("221 bye" if verb == "QUIT" else "250 ok")
            if verb == "QUIT":
                return

    def take(self) -> None:
        if self.box.full:
            self.say("452 no room for now")
            return
        self.say("354 end with a dot")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        message = message_from_bytes(b"".join(lines), policy=policy.default)
        self.box.messages.append(message)
        self.box.encrypted.append(self.encrypted)
        self.say("250 taken")

    def encrypt(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        CERTIFICATE.configure_cert(context)
        self.wfile.flush()
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb", self.rbufsize)
        self.wfile = cast("Any", self.connection.makefile("wb", 0))
        self.encrypted = True

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def say(self, *lines: str) -> None:
        for line in lines:
            self.wfile.write(line.encode() + b"\r\n")


class Server(socketserver.ThreadingTCPServer):
    """Prints nothing when a client goes away."""

    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_args: Any) -> None: ...


@contextmanager
def receiving(box: MailBox) -> Iterator[MailBox]:
    """The server, which runs within the block."""
    with Server(("127.0.0.1", 0), type("BoxHandler", (Handler,), {"box": box})) as server:
        box.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield box
        finally:
            server.shutdown()
