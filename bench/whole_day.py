"""A whole day at a counter through a real microphone: natural voices, rooms, noise, kills, a lost microphone.

    build-env/bin/python -m models.build.sets.whole_day --audio recordings/ --out DAY   the sound and its truth, once
    python bench/whole_day.py DAY --work RUN --write       eight hours in 48 minutes; the figures into RESULTS.md
    python bench/whole_day.py DAY --work RUN --hours 0.2 --speed 4                  the first twelve minutes, slower
    python bench/whole_day.py DAY --work RUN --report                               the figures of a run again
    python bench/whole_day.py DAY --text                   the words alone through the chain: what hearing cannot better
    python bench/whole_day.py DAY --sound                  the sound through the chain of `check`: no clock, no kills

The microphone is the monitor of a PulseAudio null sink (Linux), the program is `listen` with its supervisor, its
listening process and its record. To be faster than real time, sink, sound card and the clocks of the listening process
run `--speed` times as fast (fast_listen.py); restarts and loading do not, so each kill costs that many times more of
the day than in life. Stopped by Ctrl-C or SIGTERM, it reports the day so far.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from day_figures import DayRun, JudgedVisit, figures, true_parts
from day_reading import Folder, day_run, process_figures, read_folder
from day_run import RATE, DayRunner, Listen, disturbances, fast_command, fast_environment
from support.virtual_microphone import MISSING, WHY_NOT, virtual_sound

from counter_listener.asr import SilenceSkipper, SpeechModel, find_model
from counter_listener.cli.options import DEFAULT_MODEL, monotonic_clock
from counter_listener.domain import Event, Utterance, Word
from counter_listener.judging import load_matcher, typed_utterance
from counter_listener.pipeline import AudioSource, judge_events, with_ticks

RESULTS: Final = Path(__file__).with_name("RESULTS.md")
HEADING: Final = "## A whole day"
NEXT: Final = "## Live listening and reports"
"""The section before which that of the day stands."""
AFTER: Final = 200.0
"""Seconds of quiet at the end of a day as text: the last visit closes."""
Rows = list[tuple[str, str]]


def main() -> None:
    """Runs the day, or reports a run."""
    asked = _options()
    truth = json.loads((asked.day / "truth.json").read_text(encoding="utf-8"))
    if asked.text or asked.sound:
        end = asked.hours * 3600
        run = as_text(truth, asked.phrases, end) if asked.text else as_sound(asked.day, truth, asked.phrases, end)
        print(table(figures(run)))
        return
    if not asked.report:
        run_day(asked, truth)
    if not (asked.work / "run.json").exists():
        sys.exit(f"{asked.work} holds no run; start one without --report.")
    folder = read_folder(asked.work)
    rows = [*described(folder, truth), *figures(day_run(folder, truth)), *process_figures(folder)]
    by_text = dict(figures(as_text(truth, asked.phrases, folder.reached)))
    text = table(rows, by_text)
    print(text)
    if asked.write:
        write(text, asked.note)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("day", type=Path, help="the folder with day.pcm and truth.json")
    parser.add_argument("--work", type=Path, default=Path("whole-day-run"), help="the folder of this run; emptied")
    parser.add_argument("--hours", type=float, default=24.0, help="of the day, at most")
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1, help="of kills and lost microphones")
    parser.add_argument("--phrases", default="bank-counter")
    parser.add_argument("--undisturbed", action="store_true", help="without kills and lost microphones")
    parser.add_argument("--report", action="store_true", help="only the figures of the run in --work")
    parser.add_argument("--text", action="store_true", help="only the words, without sound")
    parser.add_argument("--sound", action="store_true", help="only the sound, through the chain of `check`")
    parser.add_argument("--write", action="store_true", help="also into RESULTS.md")
    parser.add_argument("--note", default="", help="a sentence on the machine, for RESULTS.md")
    return parser.parse_args()


def run_day(asked: argparse.Namespace, truth: dict[str, Any]) -> None:
    """Plays the day. An order to stop ends it early."""
    if MISSING:
        sys.exit(WHY_NOT)
    pcm = np.memmap(asked.day / "day.pcm", "<i2", "r")[: round(asked.hours * 3600 * RATE)]
    if asked.work.exists() and any(asked.work.iterdir()) and not (asked.work / "listen.log").exists():
        sys.exit(f"{asked.work} holds something else than a run; name another folder.")
    shutil.rmtree(asked.work, ignore_errors=True)
    asked.work.mkdir(parents=True)
    work = asked.work.resolve()
    hours = len(pcm) / RATE / 3600
    spans = [part.span for part in true_parts(truth, hours * 3600) if part.kind == "visit"]
    planned = [] if asked.undisturbed else disturbances(spans, hours, asked.seed)
    began = {"since": monotonic_clock(), "wall": time.time()}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with virtual_sound() as sound:
        environment = fast_environment(sound, work, asked.speed, began)
        listen = Listen(fast_command(work / "events.db", asked.phrases), environment, work)
        try:
            DayRunner(sound, pcm, asked.speed, work, listen).run(planned, began)
        except KeyboardInterrupt:
            print("stopped early: the figures are those of the day so far", file=sys.stderr)
        finally:
            listen.stop()


def described(folder: Folder, truth: dict[str, Any]) -> Rows:
    """What was played."""
    parts = true_parts(truth, folder.reached)
    visits = sum(part.kind == "visit" for part in parts)
    speech = sum(line.end - line.start for part in parts for line in part.lines) / 60
    held = f"{visits} visits, {len(parts) - visits} parts beside them, {speech:.0f} min of speech"
    return [
        (
            f"played, {folder.run['speed']:g} times as fast as life",
            f"{folder.reached / 3600:.2f} h; {held}",
        )
    ]


def as_text(truth: dict[str, Any], phrases: str, until: float = float("inf")) -> DayRun:
    """The words of the day through the chain, as if each had been heard: there are neither hints nor gaps."""
    parts = true_parts(truth, until)
    matcher, _ = load_matcher(phrases)
    items = [_utterance(line) for part in truth["parts"] for line in part["lines"] if part["lines"][-1]["end"] < until]
    end = parts[-1].span[1] if parts else 0.0
    events = list(judge_events(with_ticks(items, end + AFTER), matcher))
    return DayRun(parts, judged_events(events), (), (), max(end, 1.0) / 3600)


def as_sound(day: Path, truth: dict[str, Any], phrases: str, until: float) -> DayRun:
    """The sound of the day through the chain of `check`."""
    pcm = np.memmap(day / "day.pcm", "<i2", "r")[: round(min(until, 1e6) * RATE)]
    matcher, _ = load_matcher(phrases)
    recognizer = SilenceSkipper(SpeechModel(find_model(DEFAULT_MODEL)).recognizer())
    chunks = (pcm[first : first + RATE].tobytes() for first in range(0, len(pcm), RATE))
    events = list(judge_events(AudioSource(chunks, recognizer), matcher))
    return DayRun(true_parts(truth, len(pcm) / RATE), judged_events(events), (), (), len(pcm) / RATE / 3600)


def _utterance(line: dict[str, Any]) -> Utterance:
    """A line as it is heard by somebody who understands every word: its words spread over its time."""
    typed = typed_utterance(line["text"])
    scale = (line["end"] - line["start"]) / max(0.1, typed.words[-1].end)
    words = (Word(one.text, line["start"] + one.start * scale, line["start"] + one.end * scale) for one in typed.words)
    return Utterance(line["start"], line["end"], tuple(words))


def judged_events(events: list[Event]) -> list[JudgedVisit]:
    """The visits of events."""
    visits: dict[int, JudgedVisit] = {}
    for event in events:
        if event.visit is None:
            continue
        visit = visits.setdefault(event.visit, JudgedVisit())
        if event.kind == "visit_closed":
            visit.opened = float(str(event.detail["opened"]))
            visit.ended = visit.opened + float(str(event.detail["seconds"]))
            visit.outcome = str(event.detail["outcome"])
        elif event.kind == "phrase" and event.phrase:
            if event.detail.get("required") or event.verdict == "heard":
                visit.verdicts.setdefault(event.phrase, str(event.verdict))
        elif event.kind in ("forbidden", "rule") and event.verdict != "heard":
            visit.accused.append((event.at, event.phrase or "", event.verdict or ""))
    return [visit for visit in visits.values() if visit.outcome]


def table(rows: Rows, by_text: dict[str, str] | None = None) -> str:
    """Rows of what and how much, with a third column where the text alone gives another figure."""
    lines = ["| | measured | by text alone |", "|---|---|---|"] if by_text is not None else ["| | |", "|---|---|"]
    for name, value in rows:
        if by_text is None:
            lines.append(f"| {name} | {value} |")
        else:
            text = "" if "hint" in name or "cut by" in name else by_text.get(name, "")
            lines.append(f"| {name} | {value} | {text} |")
    return "\n".join(lines)


def write(text: str, note: str) -> None:
    """Writes the table into RESULTS.md, in place of that of an earlier run."""
    results = RESULTS.read_text(encoding="utf-8")
    before, _, rest = results.partition(HEADING)
    after = rest[rest.find("\n## ") + 1 :] if rest else NEXT + before.partition(NEXT)[2]
    if not rest:
        before = before.partition(NEXT)[0]
    section = f"{HEADING}\n\n{INTRODUCTION}{' ' + note if note else ''}\n\n{text}\n\n"
    RESULTS.write_text(before + section + after, encoding="utf-8")


INTRODUCTION: Final = """\
`python bench/whole_day.py DAY --work RUN --write`: made-up hours of a counter through a real microphone (PulseAudio),
a real `listen` with its supervisor and record, with kills (SIGKILL) and lost microphones. 28 visits and 12 parts beside
them, each several times; after a first look one template was corrected for them (call-next). Two natural voices on
which no model is trained are the clerks; rooms, levels and noise (12 dB below speech on average, 6 to 18) change. A
hint is false if its phrase was said more than 2 s before, or if nobody is served. Each kill costs as much of the day as
a restart takes, times the speed."""


if __name__ == "__main__":
    main()
