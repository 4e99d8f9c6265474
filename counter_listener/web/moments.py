"""When a report is due, and what it covers; and when nobody is to be disturbed. Pure.

All times are in the zone of this machine.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from counter_listener.web.server_file import DAYS, NotifyTable, ReportTable, time_of


def last_moment(report: ReportTable, now: datetime) -> datetime:
    """The last time at which a report was due, at or before `now`."""
    day = _first_day(report, now.date())
    while (moment := _at(day, time_of(report.at))) > now:
        day = _first_day(report, day - timedelta(days=1))
    return moment


def next_moment(report: ReportTable, now: datetime) -> datetime:
    """The next time at which a report is due, after `now`."""
    day = _first_day(report, now.date())
    while (moment := _at(day, time_of(report.at))) <= now:
        day = _following(report, day)
    return moment


def covered(report: ReportTable, moment: datetime) -> tuple[datetime, datetime]:
    """From when until when the report of this moment covers: the whole day, seven days or month before it."""
    until = moment.date()
    since = _first_day(report, until - timedelta(days=1)) if report.every == "month" else until
    if report.every != "month":
        since -= timedelta(days=7 if report.every == "week" else 1)
    return _at(since, time()), _at(until, time())


def is_quiet(notify: NotifyTable, now: datetime) -> bool:
    """Whether nobody is to be disturbed."""
    if DAYS[now.weekday()] in notify.quiet_days:
        return True
    begin, end, here = time_of(notify.quiet_from), time_of(notify.quiet_to), now.time()
    return begin <= here < end if begin <= end else here >= begin or here < end


def awake_since(notify: NotifyTable, now: datetime) -> datetime:
    """When the last quiet time ended; long ago if there is none. A counter was silent for no longer than since then."""
    if notify.quiet_from == notify.quiet_to:
        day = now.date()
        while DAYS[day.weekday()] not in notify.quiet_days:
            day -= timedelta(days=1)
            if now.date() - day > timedelta(days=7):
                return now - timedelta(days=10_000)
        return _at(day + timedelta(days=1), time())
    end = time_of(notify.quiet_to)
    day = now.date() if now.time() >= end else now.date() - timedelta(days=1)
    return _at(day, end)


def _first_day(report: ReportTable, day: date) -> date:
    """The last day of a report, at or before `day`."""
    if report.every == "day":
        return day
    if report.every == "month":
        return day.replace(day=1)
    return day - timedelta(days=(day.weekday() - DAYS.index(report.day)) % 7)


def _following(report: ReportTable, day: date) -> date:
    if report.every == "month":
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=7 if report.every == "week" else 1)


def _at(day: date, moment: time) -> datetime:
    """A time of a day in the zone of this machine, which may have summer time on that day."""
    return datetime.combine(day, moment).astimezone()
