"""The append-only record: append, read, verify, purge, back up and export. The only room with SQLAlchemy and Alembic.

What comes in: events with their origin and the time of recording; the queries of a report.
What it hands on: rows, judgements, the figures of a report, and lines of JSON or CSV.
"""

from typing import TYPE_CHECKING

import lazy_loader

from counter_listener.record.chain import START, Broken, linked
from counter_listener.record.export import COLUMNS, as_csv_lines, as_json_lines, csv_line, export_row
from counter_listener.record.figures import (
    FEW,
    MachineTrust,
    Place,
    ReportData,
    ReportScope,
    ReviewedVisit,
    Share,
    ShownVisit,
    VerdictCounts,
    VerdictTrust,
    VisitTotals,
    sum_totals,
)
from counter_listener.record.files import is_server, lock_counter, make_private, readable_by_others, record_file
from counter_listener.record.heads import Head, fingerprint, read_head
from counter_listener.record.keeping import NEVER, Held, Limits, Purged
from counter_listener.record.manner_figures import (
    MannerCounts,
    MannerData,
    MannerOverview,
    MannerSummary,
    sum_manner,
)
from counter_listener.record.people import PEOPLE
from counter_listener.record.receipts import Receipt, read_receipt
from counter_listener.record.rows import (
    LIVE,
    Columns,
    Judgement,
    Origin,
    Recording,
    RecordingRow,
    Row,
    event_columns,
    event_from_row,
    event_rows,
    iso,
    parse_detail,
    recording_row,
    stream_id,
)
from counter_listener.record.sample_draw import Candidate, Drawn, SamplePlan, draw_sample

if TYPE_CHECKING:
    from counter_listener.record.accounts import Account, AccountRole, Accounts, Token, accounts_file
    from counter_listener.record.aggregates import gather_report_data, has_counter
    from counter_listener.record.anchor_upload import send_anchor
    from counter_listener.record.appeals import (
        MARKED,
        WITHIN,
        Appeal,
        AppealRequest,
        Decision,
        appeals_of,
        deadline,
        decide_appeal,
        find_appeals,
        open_appeal,
        withdraw_appeal,
    )
    from counter_listener.record.audit import Access, note_access
    from counter_listener.record.browse import (
        FAULTS,
        FoundVisit,
        Order,
        VisitFilter,
        VisitPage,
        find_visits,
        found_visit,
        known_counters,
        natural_order,
        neighbours,
        visits_before,
    )
    from counter_listener.record.clips.folder import (
        KeptClip,
        Swept,
        clip_sound,
        clips_folder,
        keep_clip,
        kept_clips,
        original_visit,
        remove_clips,
        sweep_clips,
    )
    from counter_listener.record.clips.keys import ClipKeys, make_clip_keys, read_clip_keys, renew_clip_keys
    from counter_listener.record.clips.sealing import ClipFacts, read_facts, seal
    from counter_listener.record.history import VisitHistory, set_of, visit_history
    from counter_listener.record.judgements import replaced_streams
    from counter_listener.record.labelled import LabelledRecording, SaidPhrase, labelled_recordings
    from counter_listener.record.manner_queries import gather_manner
    from counter_listener.record.notices import offences_after, without_sign
    from counter_listener.record.overview import Offence, OverviewData, counters_heard, gather_overview
    from counter_listener.record.phrase_changes import SetChange, note_set_change, set_changes
    from counter_listener.record.place_changes import check_change, set_place
    from counter_listener.record.places import (
        Sight,
        all_places,
        branches_of,
        counters_in_sight,
        places_in,
        regions_of,
        totals_by_place,
        with_names,
    )
    from counter_listener.record.pool import RecordPool
    from counter_listener.record.posting import Poster, Trust
    from counter_listener.record.practice import Practice, Practised
    from counter_listener.record.retention import (
        LEVELS,
        RULE_LEVELS,
        Hold,
        Kept,
        Level,
        Retention,
        Rule,
        Scope,
        may_rule,
        rank_of,
    )
    from counter_listener.record.retention_changes import Who, day_end, day_start, lift_hold, set_hold, set_rule
    from counter_listener.record.retention_due import Due, due_visits
    from counter_listener.record.retention_file import all_retention, as_handed, keep_handed, retention_file
    from counter_listener.record.reviews import ReviewRequest, review
    from counter_listener.record.row_pages import machine_rows, review_rows
    from counter_listener.record.sampling import (
        Assignment,
        Draw,
        assignments,
        candidates,
        draw,
        draws,
        second_opinions_due,
    )
    from counter_listener.record.schema import EVENTS, RECORDINGS
    from counter_listener.record.signing import open_key
    from counter_listener.record.state import Purge, RecordState, record_state
    from counter_listener.record.store import Record, open_record
    from counter_listener.record.sync.clip_requests import (
        ClipRequest,
        answer_clip_requests,
        ask_for_clips,
        clip_request,
        clips_wanted,
        sender_of,
        take_clip_answer,
    )
    from counter_listener.record.sync.counter_changes import accept_record_by, add_counter_by, close_counter_by
    from counter_listener.record.sync.counters import (
        Counter,
        accept_record,
        add_counter,
        close_counter,
        counter_of_token,
        counters,
        enrol,
        find_counter,
        sends_many,
    )
    from counter_listener.record.sync.enrolment import Server, enrol_here, read_server, receipt_file, server_file
    from counter_listener.record.sync.fleet import FleetCounter, fleet, silent_counters
    from counter_listener.record.sync.handed import sets_due, signed_offer, take_offers
    from counter_listener.record.sync.handed_retention import signed_retention, take_retention
    from counter_listener.record.sync.receipting import receipt_for, receipt_of
    from counter_listener.record.sync.receive import receive
    from counter_listener.record.sync.send import Sent, ServerExchange, merge_record, send_record, send_to_server
    from counter_listener.record.sync.state import counter_state
    from counter_listener.record.sync.wire import MOST_BYTES, answer_values, read_batch
    from counter_listener.record.trust import machine_trust
    from counter_listener.record.verification import Verification
else:  # SQLAlchemy takes 0.3 s and 20 MB, which a run that records nothing does not need
    __getattr__, _, _ = lazy_loader.attach(
        __name__,
        submod_attrs={
            "accounts": ["Account", "Accounts", "AccountRole", "Token", "accounts_file"],
            "aggregates": ["gather_report_data", "has_counter"],
            "anchor_upload": ["send_anchor"],
            "appeals": [
                *("MARKED", "WITHIN", "Appeal", "AppealRequest", "Decision", "appeals_of", "deadline"),
                *("decide_appeal", "find_appeals", "open_appeal", "withdraw_appeal"),
            ],
            "audit": ["Access", "note_access"],
            "browse": [
                *(
                    "FAULTS",
                    "FoundVisit",
                    "Order",
                    "VisitFilter",
                    "VisitPage",
                    "visits_before",
                    "find_visits",
                    "found_visit",
                ),
                *("known_counters", "natural_order", "neighbours"),
            ],
            "clips.folder": [
                *("KeptClip", "Swept", "clip_sound", "clips_folder", "keep_clip", "kept_clips", "original_visit"),
                *("remove_clips", "sweep_clips"),
            ],
            "clips.keys": ["ClipKeys", "make_clip_keys", "read_clip_keys", "renew_clip_keys"],
            "clips.sealing": ["ClipFacts", "read_facts", "seal"],
            "place_changes": ["check_change", "set_place"],
            "places": [
                *("Sight", "branches_of", "all_places", "counters_in_sight", "places_in"),
                *("regions_of", "totals_by_place", "with_names"),
            ],
            "history": ["VisitHistory", "set_of", "visit_history"],
            "judgements": ["replaced_streams"],
            "manner_queries": ["gather_manner"],
            "notices": ["offences_after", "without_sign"],
            "overview": ["Offence", "OverviewData", "counters_heard", "gather_overview"],
            "retention": [
                *("LEVELS", "RULE_LEVELS", "Hold", "Kept", "Level", "Retention", "Rule", "Scope"),
                *("may_rule", "rank_of"),
            ],
            "retention_changes": ["Who", "day_end", "day_start", "lift_hold", "set_hold", "set_rule"],
            "retention_file": ["all_retention", "as_handed", "keep_handed", "retention_file"],
            "retention_due": ["Due", "due_visits"],
            "reviews": ["ReviewRequest", "review"],
            "labelled": ["LabelledRecording", "SaidPhrase", "labelled_recordings"],
            "pool": ["RecordPool"],
            "posting": ["Poster", "Trust"],
            "practice": ["Practice", "Practised"],
            "sampling": [*("Assignment", "Draw", "assignments", "candidates", "draw", "draws", "second_opinions_due")],
            "row_pages": ["machine_rows", "review_rows"],
            "schema": ["EVENTS", "RECORDINGS"],
            "phrase_changes": ["SetChange", "note_set_change", "set_changes"],
            "signing": ["open_key"],
            "state": ["Purge", "RecordState", "record_state"],
            "store": ["Record", "open_record"],
            "sync.clip_requests": [
                *("ClipRequest", "answer_clip_requests", "ask_for_clips", "clip_request", "clips_wanted", "sender_of"),
                "take_clip_answer",
            ],
            "sync.counter_changes": ["accept_record_by", "add_counter_by", "close_counter_by"],
            "sync.counters": [
                *("Counter", "accept_record", "add_counter", "close_counter"),
                *("counter_of_token", "counters", "enrol", "find_counter", "sends_many"),
            ],
            "sync.enrolment": ["Server", "enrol_here", "read_server", "receipt_file", "server_file"],
            "sync.fleet": ["FleetCounter", "fleet", "silent_counters"],
            "sync.handed": ["sets_due", "signed_offer", "take_offers"],
            "sync.handed_retention": ["signed_retention", "take_retention"],
            "sync.receipting": ["receipt_for", "receipt_of"],
            "sync.receive": ["receive"],
            "sync.send": ["Sent", "ServerExchange", "merge_record", "send_record", "send_to_server"],
            "sync.state": ["counter_state"],
            "sync.wire": ["MOST_BYTES", "answer_values", "read_batch"],
            "trust": ["machine_trust"],
            "verification": ["Verification"],
        },
    )
