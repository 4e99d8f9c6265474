"""`models`: list, install, verify and remove speech models, and say where they are."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from counter_listener.cli.help import TranslatedGroup, pad_columns
from counter_listener.cli.options import DEFAULT_MODEL, INTERRUPTED
from counter_listener.domain import N_, UsageError, _, printable

if TYPE_CHECKING:
    from pathlib import Path

    from counter_listener.asr import ModelOrigin

MIRROR: Final = "COUNTER_LISTENER_MIRROR"
VERIFIED: Final = {
    "registry": N_("the checksum known for it"),
    "given": N_("the checksum that was given with --sha256"),
    "no": N_("no checksum: nothing shows that it is what its makers made"),
}


@click.group(cls=TranslatedGroup, epilog="Example: counter-listener models install small-cn-0.22")
def models() -> None:
    """Speech models: which are here, and the road to the official ones.

    Only `models install NAME` ever uses the network; everything else works without.
    """


@models.command("list", epilog="Example: counter-listener models list")
def list_() -> None:
    """List the models that are installed or known, and which is in use where no --model is given."""
    from counter_listener.cli.commands.model_list import model_lines

    for line in model_lines(DEFAULT_MODEL):
        click.echo(line)


@models.command(epilog="Example: counter-listener models install small-cn-0.22 --proxy http://proxy.example:3128")
@click.argument("what", metavar="NAME|FILE.zip|FOLDER")
@click.option("--name", metavar="NAME", help="Keep it under this name.  [default: its own]")
@click.option("--sha256", metavar="HEX", help="The archive's SHA-256, from somebody you trust.")
@click.option("--accept-unverified", is_flag=True, help="Take an archive although no checksum of it is known.")
@click.option("--replace", is_flag=True, help="Replace another model that is installed under that name.")
@click.option("--proxy", metavar="URL", help="Fetch through this proxy.  [default: HTTPS_PROXY and its like]")
@click.option(
    "--mirror",
    metavar="URL",
    envvar=MIRROR,
    show_envvar=True,
    help="Fetch from this folder on a server instead of the makers' own.",
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def install(  # noqa: PLR0913 - one parameter an option
    *,
    what: str,
    name: str | None,
    sha256: str | None,
    accept_unverified: bool,
    replace: bool,
    proxy: str | None,
    mirror: str | None,
    quiet: bool,
) -> None:
    """Install a speech model: a known one by its NAME, an archive that you have, or a model's folder.

    A download goes on where it broke off, and is unpacked only if its checksum is right. A model is there whole or not
    at all, and libvosk must have loaded it once. Without a network: bring the archive or its unpacked folder by hand.
    """
    from counter_listener.asr import InstallRequest, install_model
    from counter_listener.cli.terminal.progress import transfer_bar

    wish = InstallRequest(what, name, _digest(sha256), accept_unverified, replace, proxy, mirror)
    try:
        with transfer_bar(quiet=quiet) as begin:
            outcome = install_model(wish, datetime.now(UTC), begin, _say_waiting)
    except KeyboardInterrupt:
        click.echo(
            _("Interrupted; nothing was installed. A download goes on from here when you run this again."), err=True
        )
        sys.exit(INTERRUPTED)
    if outcome.origin is None:
        click.echo(_("{name} is installed already, and whole; nothing was done.").format(name=outcome.name))
        return
    click.echo(_("{name} is installed. Use it with --model {name}").format(name=outcome.name))
    click.echo(_told(outcome.origin))


@models.command(epilog="Example: counter-listener models verify small-cn-0.22 --phrases bank-counter")
@click.argument("name", metavar="NAME|DIR")
@click.option(
    "--phrases",
    "phrases_name",
    metavar="FILE|NAME",
    help="Also name each wording of this phrase set that it cannot hear.",
)
def verify(*, name: str, phrases_name: str | None) -> None:
    """Check a model: its files, its vocabulary, and whether libvosk can use it with a grammar."""
    from counter_listener.asr import (
        GRAMMAR_DESCRIPTIONS,
        find_model,
        listed_in_full,
        model_origin,
        model_vocabulary,
        try_grammar,
    )
    from counter_listener.asr import verify_model as verify_files
    from counter_listener.judging import load_matcher
    from counter_listener.phrases import vocabulary_report

    matcher = load_matcher(phrases_name, proven=False)[0] if phrases_name else None
    folder = find_model(name)
    verify_files(folder)
    words = model_vocabulary(folder)
    trial = try_grammar(folder, words)
    whole = _("whole: as their checksums say") if listed_in_full(folder) else _("whole: libvosk loads them")
    origin = model_origin(folder)
    for title, told in (
        (_("folder"), printable(str(folder))),
        (_("origin"), _told(origin) if origin else ""),
        (_("files"), whole),
        (_("words"), str(len(words))),
        (_("grammar"), _(GRAMMAR_DESCRIPTIONS[trial.ability])),
    ):
        if told:
            click.echo(f"{pad_columns(title, 8)} {told}")
    for line in vocabulary_report(matcher.phrases, words) if matcher else ():
        click.echo(line)


@models.command(epilog="Example: counter-listener models remove small-cn-0.22 --yes")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(*, name: str, yes: bool) -> None:
    """Remove a model that you installed."""
    from counter_listener.asr import check_removable, lock_models_folder, remove_model

    check_removable(name)
    if not yes and (sys.stdin is None or not sys.stdin.isatty()):
        raise UsageError("{name} would be removed for good; where nobody can be asked, say --yes.", name=name)
    if not yes:
        click.confirm(_("Remove {name}?").format(name=name), abort=True)
    with lock_models_folder(_say_waiting) as root:
        check_removable(name)
        remove_model(root, name)
    click.echo(_("{name} is removed.").format(name=name))


@models.command(epilog="Example: counter-listener models path small-cn-0.22")
@click.argument("name", metavar="[NAME]", required=False)
def path(*, name: str | None) -> None:
    """Print the folder of a model, or the one in which installed models are kept."""
    from counter_listener.asr import find_model, models_folder

    found: Path = find_model(name) if name else models_folder()
    click.echo(str(found))


def _say_waiting() -> None:
    click.echo(_("Another install or removal is under way here; waiting for it to end."), err=True)


def _digest(given: str | None) -> str | None:
    digest = given.strip().lower().removeprefix("sha256:") if given is not None else None
    if digest is not None and not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise UsageError("--sha256 takes 64 hexadecimal digits, as `sha256sum FILE` prints them.")
    return digest


def _told(origin: ModelOrigin) -> str:
    """Where a model came from, as a sentence."""
    if not origin.sha256:
        return printable(_("From {source}, {time}.").format(source=origin.source, time=origin.at))
    text = _("From {source}, {time}, SHA-256 {sha256}, held to {whose}.")
    return printable(
        text.format(source=origin.source, time=origin.at, sha256=origin.sha256, whose=_(VERIFIED[origin.verified]))
    )
