"""What `check` and `demo` print: results as tables, JSON lines or CSV, notes on the record, and a summary."""

import errno
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import click

from counter_listener.batch import CheckResult, LeftOut, Recorder, Tally
from counter_listener.cli.options import Format, csv_mark, discard_output
from counter_listener.cli.terminal.printing import printed
from counter_listener.cli.terminal.visit_table import loss_notes, recorded_text, result_view, summary_view
from counter_listener.domain import Event, PhraseSet, _, printable, system_reason
from counter_listener.record import COLUMNS, as_csv_lines, as_json_lines, csv_line, export_row


@dataclass
class CheckOutput:
    """The output of one run. If it cannot be written (closed pipe, full disk), recording continues without it."""

    phrases: PhraseSet
    counter: str | None
    form: Format
    quiet: bool
    recorder: Recorder | None
    """None records nothing."""
    location: str
    """Where the record is, for people."""
    tally: Tally = field(default_factory=Tally)
    failed: bool = False
    """Whether standard output can no longer be written."""
    lost: bool = False
    """Whether somebody misses what was not written: a reader who closed the pipe does not."""

    def show_head(self) -> None:
        """Prints what stands above all results."""
        if self.form == "csv":
            self._print(csv_mark() + csv_line(COLUMNS) + "\n")

    def show_result(self, result: CheckResult) -> None:
        """Counts and prints the result of one input."""
        self.tally.add(result)
        notes = []
        if result.error:
            notes.append(_("Error: {message}").format(message=printable(result.error.translated(_))))
        text = _("Note: {path}: {note}")
        notes += [printable(text.format(path=result.path, note=note.translated(_))) for note in result.notes]
        notes += loss_notes(str(result.path), result.losses)
        if self.form == "table":
            self._print(printed(result_view(result, self.phrases)), *notes)
        else:
            self._print_rows(result, *notes)

    def show_left_out(self, left_out: Sequence[LeftOut]) -> None:
        """Prints, for programs, what folders hold and was not checked. People are told in the summary."""
        for each in left_out if self.form != "table" else ():
            self._print_rows(each.result)

    def show_summary(self, left_out: Sequence[LeftOut]) -> None:
        """Prints what all inputs together came to, what was not checked, and what was recorded."""
        if self.quiet:
            return
        if self.form == "table":
            self._print(printed(summary_view(self.tally, left_out, self.phrases)))
        if self.recorder is not None:
            self._print("", recorded_text(self.recorder.counts, self.location))

    def report_failures(self) -> None:
        """Prints which results could not be recorded, and which transcripts not stored."""
        while self.recorder and self.recorder.failures:
            path, error = self.recorder.failures.pop(0)
            text = _("Error: {path} was checked but not recorded: {error}")
            click.echo(text.format(path=printable(str(path)), error=printable(error.translated(_))), err=True)
        while self.recorder and self.recorder.unkept:
            text = _("Error: a transcript could not be stored, its recording was recorded: {error}")
            click.echo(text.format(error=printable(self.recorder.unkept.pop(0).translated(_))), err=True)

    def _print_rows(self, result: CheckResult, *notes: str) -> None:
        lines = (as_json_lines if self.form == "jsonl" else as_csv_lines)(self._rows(result))
        self._print("".join(f"{line}\n" for line in lines), *notes)

    def _print(self, text: str, *notes: str) -> None:
        """Prints the notes, one per line, on standard error, then the text on standard output."""
        if self.failed:
            return
        try:
            for note in notes:
                click.echo(note, err=True)
            click.echo(text, nl=False)
            sys.stdout.flush()
        except OSError as error:
            if self.recorder is None:
                raise
            self.failed, self.lost = True, error.errno != errno.EPIPE
            discard_output()
            reason = system_reason(error).translated(_)
            click.echo(_("The output cannot be written ({why}); recording continues.").format(why=reason), err=True)

    def _rows(self, result: CheckResult) -> Iterator[dict[str, object]]:
        started = result.started.at.astimezone() if result.started and result.started.at else None
        notes = (Event("note", 0.0, detail={"message": str(note)}) for note in result.notes)
        for event in (*notes, *result.events):
            row = export_row(event, source=str(result.path), stream=result.stream, counter=self.counter, began=started)
            if event.kind == "visit_opened":
                row["started_from"] = result.started.how if result.started else "unknown"
                if result.started and result.started.guess:
                    row["started_guess"] = result.started.guess.astimezone().isoformat(timespec="seconds")
            yield row
