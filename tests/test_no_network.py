"""The network is used only if asked for: to install a model, send an anchor or a record, or by a server's settings."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from support.small_counter import SMALL_FILE

SMALL_SET = ("--phrases", str(SMALL_FILE))
SHORT = Path(__file__).resolve().parent / "fixtures" / "refusal-with-sorry.wav"
PACKAGE = Path(__file__).resolve().parent.parent / "counter_listener"
FILES = sorted(PACKAGE.rglob("*.py"))
CLIENTS = {
    *("requests", "urllib3", "urllib.request", "http.client", "pooch", "httpx", "aiohttp", "ftplib", "smtplib"),
    *("websockets", "websocket", "huggingface_hub", "xmlrpc", "apprise", "paho"),
}
"""Libraries that could download something."""
DOWNLOADER = "counter_listener.asr.model_download"
SENDER = "counter_listener.record.posting"
MAILER = "counter_listener.web.mail"
MESSENGER = "counter_listener.web.sending"
INSTALLER = "counter_listener.asr.model_install"
COMMAND = "counter_listener.cli.commands.models"
ANCHOR = "counter_listener.cli.commands.anchor"
MERGE = "counter_listener.cli.commands.merge"
SEND = "counter_listener.cli.commands.send"
SETUP = "counter_listener.cli.commands.setup"


def code_of(file: Path) -> Iterator[tuple[str, ast.AST]]:
    """The code in a file, and the code in its strings that another process runs, each with the name of the module."""
    module = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    yield module, tree
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "import" in node.value:
            with suppress(SyntaxError):
                yield f"{module}:{node.lineno}", ast.parse(node.value)


@cache
def imported(tree: ast.AST) -> set[str]:
    """Every module that is imported anywhere in the code, and the names imported from it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@cache
def code() -> list[tuple[str, ast.AST]]:
    """All code of the package."""
    return [(name, tree) for file in FILES for name, tree in code_of(file)]


@cache
def roots(tree: ast.AST) -> set[str]:
    """What is imported, and each package above it."""
    found = set()
    for name in imported(tree):
        parts = name.split(".")
        found |= {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
    return found


def importers(module: str) -> set[str]:
    return {name for name, tree in code() if module in roots(tree)}


@pytest.mark.parametrize("client", sorted(CLIENTS))
def test_only_the_downloader_and_the_sender_use_the_network(client: str) -> None:
    allowed = {"smtplib": {MAILER}, "apprise": {MESSENGER}}
    assert importers(client) <= allowed.get(client, {DOWNLOADER, SENDER})


def test_both_use_requests() -> None:
    assert importers("requests") == {DOWNLOADER, SENDER}


def importing_functions(module: str, name: str) -> set[str]:
    """The functions of a module that import a name."""
    (tree,) = (tree for each, tree in code() if each == module)
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return {function.name for function in functions if name in imported(function)}


def test_only_the_command_models_install_leads_to_the_downloader() -> None:
    assert importers(DOWNLOADER) == {INSTALLER}
    assert importers(INSTALLER) == {"counter_listener.asr"}
    assert importers("counter_listener.asr.install_model") == {COMMAND}
    assert importing_functions(COMMAND, "counter_listener.asr.install_model") == {"install"}


def test_only_commands_that_send_lead_to_the_sender() -> None:
    names = ("anchor_upload", "sync.clip_requests", "sync.enrolment", "sync.send")
    senders = {f"counter_listener.record.{name}" for name in names}
    assert importers("counter_listener.record.answer_clip_requests") == {SEND}, "sound is sent by `send` alone"
    assert importers(SENDER) == {"counter_listener.record", *senders}
    assert importers("counter_listener.record.send_anchor") == {ANCHOR}
    assert importing_functions(ANCHOR, "counter_listener.record.send_anchor") == {"_send"}
    assert importers("counter_listener.record.Poster") == {MERGE, SEND}
    assert importing_functions(MERGE, "counter_listener.record.Poster") == {"_to_server"}
    assert importing_functions(SEND, "counter_listener.record.Poster") == {"__init__"}
    assert importers("counter_listener.record.enrol_here") == {SEND, SETUP}


def test_mail_and_messages_are_sent_only_by_what_the_settings_of_a_server_ask_for() -> None:
    assert importers(MAILER) == {"counter_listener.web.scheduled"}
    assert importing_functions(MESSENGER, "apprise") == {"_apprise"}
    assert importers(f"{MESSENGER}.send") == {"counter_listener.web.notices"}


def test_the_downloader_is_imported_only_for_a_download() -> None:
    assert importing_functions(INSTALLER, DOWNLOADER) == {"from_network"}


def test_no_other_way_to_import_or_run_code_is_used() -> None:
    for name, tree in code():
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        called = {ast.unparse(call.func) for call in calls}
        assert not called & {"__import__", "eval", "exec"}, name
        assert not {one for one in imported(tree) if one.startswith("runpy")}, name
        if name == "counter_listener.cli.commands.doctor":  # it imports each library to see whether it loads
            continue
        for call in calls:
            if ast.unparse(call.func) in {"import_module", "importlib.import_module"}:
                assert ast.unparse(call.args[0]).startswith("'counter_listener."), name


def vosk_names(tree: ast.AST) -> set[str]:
    """The names and attributes of vosk that are used."""
    names = {one.removeprefix("vosk.") for one in imported(tree) if one.startswith("vosk.")}
    return names | {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "vosk"
    }


def test_of_libvosk_only_what_cannot_download_is_touched() -> None:
    """Its Model downloads by name or language, unpacks without a checksum, and searches folders of its own."""
    assert {name for _, tree in code() for name in vosk_names(tree)} <= {
        "Model",
        "SpkModel",
        "KaldiRecognizer",
        "SetLogLevel",
    }


def test_libvosk_is_only_ever_given_a_folder() -> None:
    calls = [
        (name, node)
        for name, tree in code()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"Model", "vosk.Model"}
    ]
    assert len(calls) == 2
    for name, call in calls:
        assert [keyword.arg for keyword in call.keywords] == ["model_path"], name
        assert call.args == [], name
    uses = [
        name for name, tree in code() for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "Model"
    ]
    assert len(uses) == 1, "vosk's Model has another name somewhere"


WITHOUT_NETWORK = """
import socket, sys
def refuse(*args, **kwargs):
    print("the network was used", file=sys.stderr)
    raise SystemExit(99)
for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, refuse)
socket.getaddrinfo = socket.create_connection = refuse
from counter_listener.__main__ import main
sys.argv[1:] = {words!r}
try:
    main()
finally:
    heavy = [module for module in ("counter_listener.asr.model_download", "filelock") if module in sys.modules]
    print("loaded:", *heavy, file=sys.stderr)
"""


@pytest.mark.parametrize(
    "words",
    [
        ["check", str(SHORT), "--store", "none", *SMALL_SET],
        pytest.param(["check", "x.wav", "--model", "small-cn-0.22", *SMALL_SET], marks=pytest.mark.slow),
        pytest.param(["models", "list"], marks=pytest.mark.slow),
        ["models", "path", "small-cn-0.22"],
        ["models", "install", "cn-0.22"],
    ],
    ids=" ".join,
)
def test_with_the_network_blocked_everything_goes_on_as_before(words: list[str], tmp_path: Path) -> None:
    code = WITHOUT_NETWORK.format(words=words)
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path), "HOME": str(tmp_path)}
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False, env=environment
    )
    assert "the network was used" not in shown.stderr
    assert shown.returncode in {0, 2}
    assert shown.returncode == (2 if any("0.22" in word for word in words) else 0)
    if words[:2] != ["models", "install"]:
        assert "loaded:\n" in shown.stderr
