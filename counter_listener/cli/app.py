"""The command group: the commands, the language, and how each error becomes one sentence and an exit code."""

import errno
import sys
from collections.abc import Sequence
from typing import Any

import click

from counter_listener import __version__
from counter_listener.cli.commands.accounts import accounts
from counter_listener.cli.commands.anchor import anchor, verify
from counter_listener.cli.commands.check import check, demo
from counter_listener.cli.commands.clips import clips
from counter_listener.cli.commands.counters import counters
from counter_listener.cli.commands.doctor import doctor
from counter_listener.cli.commands.eval import evaluate
from counter_listener.cli.commands.explain import explain
from counter_listener.cli.commands.listen import devices, init, listen
from counter_listener.cli.commands.merge import record_group
from counter_listener.cli.commands.models import models
from counter_listener.cli.commands.notify import notify
from counter_listener.cli.commands.phrases import phrases
from counter_listener.cli.commands.purge import purge
from counter_listener.cli.commands.record import backup, events
from counter_listener.cli.commands.rejudge import rejudge
from counter_listener.cli.commands.report import report
from counter_listener.cli.commands.retention import hold, retention
from counter_listener.cli.commands.send import enrol, send
from counter_listener.cli.commands.serve import serve
from counter_listener.cli.commands.setup import setup
from counter_listener.cli.commands.watch import watch
from counter_listener.cli.help import Context, TranslatedGroup, in_language, lang_option, requested_language
from counter_listener.cli.options import EXIT_CODES, ExitCode, discard_output
from counter_listener.domain import (
    AudioError,
    BusyError,
    CounterListenerError,
    LabelsError,
    MicrophoneError,
    RecordError,
    ReportError,
    SendError,
    TranscriptError,
    _,
    printable,
    system_reason,
)


class ErrorHandlingGroup(TranslatedGroup):
    """Sets the language, and turns each of our errors into one sentence and its exit code."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> Any:  # noqa: ANN401 - as in click
        words = sys.argv[1:] if args is None else list(args)
        with in_language(requested_language(words)):
            return super().main(words, *more, **extra)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as in click
        try:
            return super().invoke(ctx)
        except (CounterListenerError, OSError) as error:
            if ctx.params.get("debug"):
                raise
            ctx.exit(report_error(error))


def report_error(error: CounterListenerError | OSError) -> ExitCode:
    """Prints an error that ends the program as one sentence on standard error. Returns the exit code."""
    if isinstance(error, CounterListenerError):
        click.echo(_("Error: {message}").format(message=printable(error.translated(_))), err=True)
        if isinstance(error, ReportError | RecordError | SendError):
            return ExitCode.NO_RECORD
        if isinstance(error, BusyError):
            return ExitCode.BUSY
        unreadable = AudioError | LabelsError | MicrophoneError | TranscriptError
        return ExitCode.UNREADABLE if isinstance(error, unreadable) else ExitCode.USAGE
    discard_output()
    if error.errno == errno.EPIPE:  # the reader closed the pipe on purpose, as `head` does
        return ExitCode.PASSED
    text = _("Error: the output cannot be written ({why}).")
    click.echo(text.format(why=system_reason(error).translated(_)), err=True)
    return ExitCode.NO_RECORD


@click.group(
    cls=ErrorHandlingGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\n" + EXIT_CODES + "\n\nExample: counter-listener check recordings/ --fail-under 80",
)
@click.version_option(__version__, prog_name="counter-listener")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(*, debug: bool) -> None:
    """Check offline whether the courtesy phrases required at a service counter were said.

    Checks recordings of counter visits against a phrase set, and records what was heard and what was not.
    """


def prepare(command: click.Command) -> None:
    """Gives a command and its subcommands the option --lang and help that is wrapped by columns."""
    command.context_class = Context
    lang_option(command)
    for subcommand in command.commands.values() if isinstance(command, click.Group) else ():
        prepare(subcommand)


events.add_command(verify)
events.add_command(anchor)
for each in (
    *(check, watch, demo, listen, setup, devices, init, doctor, explain, evaluate, phrases, models),
    *(events, rejudge, report, serve, notify, accounts, counters, enrol, send, record_group),
    *(purge, retention, hold, clips, backup),
):
    cli.add_command(each)
prepare(cli)


def main() -> None:
    """The program: `counter-listener ...`."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:  # the output is Chinese, whatever the code page of the console
            reconfigure(encoding="utf-8", errors="replace")
    try:
        try:
            cli(prog_name="counter-listener")
        finally:
            if sys.stdout is not None:  # pythonw has none
                sys.stdout.flush()
    except OSError as error:
        with in_language(requested_language(sys.argv[1:])):
            sys.exit(report_error(error))
