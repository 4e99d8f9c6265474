"""What the other packages share: the words of the counter as types, events, errors, texts for people.

In: nothing of the other packages; platformdirs is the only outside library.
Out: frozen dataclasses (Utterance, Gap, Hit, Event, PhraseSet and others), errors, translated texts, intervals.
"""

from counter_listener.domain.companions import backed_up, companion
from counter_listener.domain.display import (
    BOM,
    KINDS,
    LONG_NUMBER,
    OUTCOMES,
    REASONS,
    REVIEW_ACTIONS,
    SEVERITIES,
    VERDICTS,
    format_duration,
    json_line,
    mask_numbers,
    printable,
    readable,
    url_without_secrets,
    visit_word,
)
from counter_listener.domain.errors import (
    AccountError,
    AudioError,
    BatchError,
    BusyError,
    ConfigError,
    CounterListenerError,
    LabelsError,
    MicrophoneError,
    ModelError,
    PhraseSetError,
    RecordError,
    ReportError,
    ReviewConflict,
    ReviewError,
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
from counter_listener.domain.kept_sentences import packed, unpacked
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
    Aside,
    CourtesyWord,
    Example,
    Forbidden,
    Frame,
    Frames,
    Observation,
    Phrase,
    PhraseSet,
    Rule,
    Scenario,
    ScoreScheme,
    Severity,
    Slot,
    Stage,
)
from counter_listener.domain.resources import bundled_folder, data_folder, settings_folder
from counter_listener.domain.statistics import (
    Z_95,
    Agreement,
    Estimate,
    Interval,
    cohen_kappa,
    weighted_share,
    wilson_interval,
)
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
    Review,
    ReviewAction,
    Role,
    Sound,
    Speaker,
    StreamItem,
    Tick,
    Utterance,
    Verdict,
    VisitToggle,
    Voice,
    Word,
)
from counter_listener.domain.written_words import written
