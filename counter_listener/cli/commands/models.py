"""`models`: list, install, verify and remove speech models, and print their folders."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from counter_listener.cli.help import TranslatedGroup, pad_columns
from counter_listener.cli.options import DEFAULT_MODEL, ExitCode
from counter_listener.domain import N_, UsageError, _, printable

if TYPE_CHECKING:
    from counter_listener.asr import ModelFacts, ModelOrigin

FACTS: Final = (N_("Mandarin"), N_("English (US)"), N_("no transcriber; see its card, models/README.md"))
"""The texts of models/registry.toml, for the catalogue."""
GIGABYTE: Final = 1_000_000_000
VERIFIED: Final = {
    "registry": N_("the checksum known for it"),
    "given": N_("the checksum that was given with --sha256"),
    "no": N_("no checksum: nothing shows that it is what its makers published"),
}


def parse_digest(_ctx: click.Context, _param: click.Parameter, given: str | None) -> str | None:
    """A SHA-256 in lower case, from the value of --sha256. Raises UsageError."""
    digest = given.strip().lower().removeprefix("sha256:") if given is not None else None
    if digest is not None and not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise UsageError("--sha256 takes 64 hexadecimal digits, as `sha256sum FILE` prints them.")
    return digest


@click.group(cls=TranslatedGroup, epilog="Example: counter-listener models install small-cn-0.22")
def models() -> None:
    """Speech models: list the installed ones, and install official ones.

    Only `models install NAME` uses the network; everything else works without it.
    """


@models.command("list", epilog="Example: counter-listener models list")
def list_() -> None:
    """List the installed and known models, and which one is used without --model."""
    from counter_listener.asr import ModelFacts, available_models, bundled_models, known_model, model_origin, registry

    unknown = ModelFacts("?", N_("error rates unknown"), "?")
    folders = available_models()
    for name, folder in folders.items():
        ships, known, origin = name in bundled_models(), known_model(name), model_origin(folder)
        facts = registry().bundled if ships else known or unknown
        state = (_("bundled") if ships else _("installed")) + (_(", in use") if name == DEFAULT_MODEL else "")
        size = format_size(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()))
        click.echo(_line(name, state, facts, size))
        verified = ships or (origin and origin.verified != "no")
        click.echo(f"    {_(facts.errors)}{'' if verified else _('; not verified by a checksum')}")
    for known in registry().models:
        if known.name not in folders:
            size = ("" if known.exact else "~") + format_size(known.size)
            click.echo(_line(known.name, _("known"), known, size))
            click.echo(f"    {_(known.errors)}{'' if known.sha256 else _('; no checksum')}")


def _line(name: str, state: str, facts: ModelFacts, size: str) -> str:
    return printable(
        f"{name:21} {pad_columns(state, 17)} {pad_columns(_(facts.language), 12)} {size:>9}  {_(facts.licence)}"
    )


def format_size(size: int) -> str:
    """Bytes in the decimal units that the makers' table uses."""
    return f"{size / GIGABYTE:.1f} GB" if size >= GIGABYTE else f"{size / 1e6:.1f} MB"


@models.command(epilog="Example: counter-listener models install small-cn-0.22 --proxy http://proxy.example:3128")
@click.argument("what", metavar="NAME|FILE.zip|FOLDER")
@click.option("--name", metavar="NAME", help="Install it under this name.  [default: its own]")
@click.option("--sha256", metavar="HEX", callback=parse_digest, help="The archive's SHA-256, from a source you trust.")
@click.option("--accept-unverified", "unverified", is_flag=True, help="Accept an archive without a known checksum.")
@click.option("--replace", "replacing", is_flag=True, help="Replace another model that is installed under that name.")
@click.option(
    "--proxy", metavar="URL", help="Download through this proxy.  [default: HTTPS_PROXY and similar variables]"
)
@click.option(
    "--mirror",
    metavar="URL",
    envvar="COUNTER_LISTENER_MIRROR",
    show_envvar=True,
    help="Download from this folder on a server instead of the makers' server.",
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def install(*, quiet: bool, **request: Any) -> None:  # noqa: ANN401 - click has checked them
    """Install a speech model: a known one by its NAME, an archive file, or a model's folder.

    An interrupted download continues where it stopped, and is unpacked only if its checksum is right. A model is
    installed completely or not at all, after libvosk has loaded it once. Without a network, copy the archive or its
    unpacked folder to this computer yourself.
    """
    from counter_listener.asr import InstallRequest, install_model
    from counter_listener.cli.terminal.progress import transfer_bar

    try:
        with transfer_bar(quiet=quiet) as begin:
            installed, origin = install_model(InstallRequest(**request), datetime.now(UTC), begin, _say_waiting)
    except KeyboardInterrupt:
        text = _("Interrupted; nothing was installed. A download continues from here when you run this again.")
        click.echo(text, err=True)
        sys.exit(ExitCode.INTERRUPTED)
    if origin is None:
        click.echo(_("{name} is already installed and complete; nothing was done.").format(name=installed))
        return
    click.echo(_("{name} is installed. Use it with --model {name}").format(name=installed))
    click.echo(origin_text(origin))


@models.command(epilog="Example: counter-listener models verify small-cn-0.22 --phrases bank-counter")
@click.argument("name", metavar="NAME|DIR")
@click.option(
    "--phrases",
    "phrases_name",
    metavar="FILE|NAME",
    help="Also list the wordings of this phrase set that it cannot recognise.",
)
def verify(*, name: str, phrases_name: str | None) -> None:
    """Check a model: its files, its vocabulary, and whether libvosk can use it with a grammar."""
    from counter_listener.asr import (
        GRAMMAR_DESCRIPTIONS,
        find_model,
        has_all_checksums,
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
    grammar = try_grammar(folder, words)
    complete = _("complete: the checksums match") if has_all_checksums(folder) else _("complete: libvosk loads them")
    origin = model_origin(folder)
    for title, text in (
        (_("folder"), printable(str(folder))),
        (_("origin"), origin_text(origin) if origin else ""),
        (_("files"), complete),
        (_("words"), str(len(words))),
        (_("grammar"), _(GRAMMAR_DESCRIPTIONS[grammar])),
    ):
        if text:
            click.echo(f"{pad_columns(title, 8)} {text}")
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
        raise UsageError("{name} would be removed permanently. Without a terminal to confirm it, add --yes.", name=name)
    if not yes:
        click.confirm(_("Remove {name}?").format(name=name), abort=True)
    with lock_models_folder(_say_waiting) as root:
        check_removable(name)
        remove_model(root, name)
    click.echo(_("{name} is removed.").format(name=name))


@models.command(epilog="Example: counter-listener models path small-cn-0.22")
@click.argument("name", metavar="[NAME]", required=False)
def path(*, name: str | None) -> None:
    """Print the folder of a model, or the folder of all installed models."""
    from counter_listener.asr import find_model, models_folder

    click.echo(str(find_model(name) if name else models_folder()))


def _say_waiting() -> None:
    click.echo(_("Another install or removal is running; waiting for it to finish."), err=True)


def origin_text(origin: ModelOrigin) -> str:
    """Where a model came from, as a sentence."""
    if not origin.sha256:
        return printable(_("From {source}, {time}.").format(source=origin.source, time=origin.at))
    text = _("From {source}, {time}, SHA-256 {sha256}, verified against {whose}.")
    return printable(
        text.format(source=origin.source, time=origin.at, sha256=origin.sha256, whose=_(VERIFIED[origin.verified]))
    )
