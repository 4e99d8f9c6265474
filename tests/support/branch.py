"""The server of a branch with a certificate of its own, and counters that are enrolled there."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from support.command import run
from support.serving import serving


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@dataclass
class Branch:
    """The server of a branch, with a certificate of its own."""

    folder: Path
    port: int = field(default_factory=free_port)

    @property
    def store(self) -> Path:
        return self.folder / "branch.db"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @contextmanager
    def serving(self, *more: str) -> Iterator[subprocess.Popen[str]]:
        words = ("--receive", "--cert", str(self.folder / "cert.pem"), "--key", str(self.folder / "branch.pem"))
        with serving(self.store, *words, *more, port=self.port) as (process, link):
            assert link.startswith("https://")
            yield process

    def code(self, name: str, *words: str) -> str:
        added = run("counters", "add", name, "--store", self.store, "--key", self.folder / "branch.pem", *words)
        assert added.exit_code == 0, added.output
        return added.stdout.strip()


def make_certificates(folder: Path) -> Path:
    """A folder with the certificate of a server, that of who signed it, and its fingerprint."""
    folder.mkdir(exist_ok=True)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "cert.pem"))
    certificate = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
    (folder / "fingerprint").write_text(certificate.fingerprint(SHA256()).hex(":"))
    return folder


def enrol(branch: Branch, store: Path, certificates: Path, name: str = "3") -> None:
    enrolled = run(
        *("enrol", "--server", branch.url, "--store", store, "--ca", certificates / "ca.pem"),
        typed=f"{branch.code(name)}\n",
    )
    assert enrolled.exit_code == 0, enrolled.output
