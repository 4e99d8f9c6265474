"""The command line, together with the cli_ modules: the only place with clocks, exit codes and printing."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from counter_listener import __version__
from counter_listener.cli.commands.check import check, demo
from counter_listener.cli.commands.doctor import doctor
from counter_listener.cli.commands.eval import evaluate
from counter_listener.cli.commands.explain import explain
from counter_listener.cli.commands.listen import devices, init, listen
from counter_listener.cli.commands.models import models
from counter_listener.cli.commands.phrases import phrases
from counter_listener.cli.commands.record import backup, events, purge
from counter_listener.cli.commands.rejudge import rejudge
from counter_listener.cli.commands.report import report
from counter_listener.cli.help import Context, TranslatedGroup, in_language, lang_option, requested_language
from counter_listener.cli.options import BUSY, EXIT_CODES, NO_RECORD, UNREADABLE, USAGE, discard_output
from counter_listener.domain import (
    AudioError,
    BusyError,
    CounterListenerError,
    LabelsError,
    MicrophoneError,
    RecordError,
    ReportError,
    TranscriptError,
    _,
    printable,
    system_reason,
)


class ErrorHandlingGroup(TranslatedGroup):
    """Decides on the language, and turns each of our errors into one sentence and its exit code, in this one place."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> Any:  # noqa: ANN401 - as click has it
        words = sys.argv[1:] if args is None else list(args)
        with in_language(requested_language(words)):
            return super().main(words, *more, **extra)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        try:
            return super().invoke(ctx)
        except CounterListenerError as error:
            if ctx.params.get("debug"):
                raise
            click.echo(_("Error: {message}").format(message=printable(error.translated(_))), err=True)
            ctx.exit(exit_code(error))
        except OSError as error:
            if ctx.params.get("debug"):
                raise
            discard_output()
            if error.errno == errno.EPIPE:  # the reader has seen enough
                ctx.exit(0)
            click.echo(
                _("Error: the output cannot be written ({why}).").format(why=system_reason(error).translated(_)),
                err=True,
            )
            ctx.exit(NO_RECORD)


def exit_code(error: CounterListenerError) -> int:
    """The documented exit code of an error that ends the program."""
    if isinstance(error, ReportError | RecordError):
        return NO_RECORD
    if isinstance(error, BusyError):
        return BUSY
    unreadable = AudioError | LabelsError | MicrophoneError | TranscriptError
    return UNREADABLE if isinstance(error, unreadable) else USAGE


@click.group(
    cls=ErrorHandlingGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\n" + EXIT_CODES + "\n\nExample: counter-listener check recordings/ --fail-under 80",
)
@click.version_option(__version__, prog_name="counter-listener")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(*, debug: bool) -> None:
    """Hear, offline, whether the courtesy owed at a service counter was said.

    Checks recordings of counter visits against a phrase set and keeps a record of what was heard and what was not.
    """


for command in (
    *(check, demo, listen, devices, init, doctor, explain, evaluate, phrases, models),
    *(events, rejudge, report, purge, backup),
):
    cli.add_command(command)


def iter_commands(command: click.Command) -> Iterator[click.Command]:
    """A command and those in it."""
    yield command
    for one in command.commands.values() if isinstance(command, click.Group) else ():
        yield from iter_commands(one)


for command in iter_commands(cli):
    command.context_class = Context
    lang_option(command)


def main() -> None:
    """The program: `counter-listener ...`."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:  # words are Chinese, whatever code page the console was born with
            reconfigure(encoding="utf-8", errors="replace")
    try:
        try:
            cli(prog_name="counter-listener")
        finally:
            if sys.stdout is not None:  # pythonw has none
                sys.stdout.flush()
    except OSError as error:
        discard_output()
        if error.errno != errno.EPIPE:
            with in_language(requested_language(sys.argv[1:])):
                click.echo(
                    _("Error: the output cannot be written ({why}).").format(why=system_reason(error).translated(_)),
                    err=True,
                )
            sys.exit(NO_RECORD)
