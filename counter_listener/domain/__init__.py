"""What the other packages share: the words of the counter as types, events, errors, texts for people.

In: nothing of the other packages; platformdirs is the only outside library.
Out: frozen dataclasses (Utterance, Gap, Hit, Event, PhraseSet and others), errors, translated texts, intervals.
"""

from counter_listener.domain.display import (
    BOM,
    KINDS,
    LONG_NUMBER,
    OUTCOMES,
    SEVERITIES,
    VERDICTS,
    format_duration,
    json_line,
    mask_numbers,
    printable,
    readable,
    url_without_secrets,
)
from counter_listener.domain.errors import (
    AudioError,
    BusyError,
    ConfigError,
    CounterListenerError,
    LabelsError,
    MicrophoneError,
    ModelError,
    PhraseSetError,
    RecordError,
    ReportError,
    SendError,
    TranscriptError,
    UsageError,
    system_reason,
)
from counter_listener.domain.input_files import (
    json_object,
    numbered_lines,
    read_errors,
    read_seconds,
    read_text,
    read_toml,
)
from counter_listener.domain.messages import (
    DOMAIN,
    LOCALE,
    N_,
    Lang,
    Sentence,
    Translate,
    _,
    choose_language,
    current_language,
    ngettext,
    sentence,
    translator,
    use_language,
)
from counter_listener.domain.phrase_set import (
    CourtesyWord,
    Example,
    Forbidden,
    Frame,
    Frames,
    Phrase,
    PhraseSet,
    Rule,
    Scenario,
    Slot,
    Stage,
)
from counter_listener.domain.resources import bundled_folder, data_folder, settings_folder
from counter_listener.domain.statistics import Z_95, Interval, wilson_interval
from counter_listener.domain.types import (
    BLOCK_SAMPLES,
    SAMPLE_BYTES,
    SAMPLE_RATE,
    Event,
    Findings,
    Gap,
    Hit,
    Kind,
    MatchedItem,
    MatchedUtterance,
    Outcome,
    Prior,
    RecentContext,
    Role,
    Sound,
    Speaker,
    StreamItem,
    Tick,
    Utterance,
    Verdict,
    VisitToggle,
    Word,
)
