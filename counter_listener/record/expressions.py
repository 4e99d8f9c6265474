"""What SQLite and PostgreSQL write differently in a query: details, sums, times of day, lists of values.

PostgreSQL reads details by functions that its schema brings: migrations/versions/v0005.postgresql.sql.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

Column = sa.ColumnElement[Any]


class _DetailText(FunctionElement[Any]):
    inherit_cache = True
    type = sa.Text()


class _DetailNumber(FunctionElement[Any]):
    inherit_cache = True
    type = sa.Double()


class _DetailFlag(FunctionElement[Any]):
    inherit_cache = True
    type = sa.Integer()


class _Total(FunctionElement[Any]):
    inherit_cache = True
    type = sa.Double()


class _Lesser(FunctionElement[Any]):
    inherit_cache = True
    type = sa.Text()


class _Greater(FunctionElement[Any]):
    inherit_cache = True
    type = sa.Double()


class _Whole(FunctionElement[Any]):
    inherit_cache = True
    type = sa.BigInteger()


class _Later(FunctionElement[Any]):
    inherit_cache = True
    type = sa.Text()


class _Epoch(FunctionElement[Any]):
    inherit_cache = True
    type = sa.BigInteger()


class _Position(FunctionElement[Any]):
    inherit_cache = True
    type = sa.Integer()


class _IsText(FunctionElement[Any]):
    inherit_cache = True
    type = sa.Boolean()


class _IsNumber(FunctionElement[Any]):
    inherit_cache = True
    type = sa.Boolean()


class _Members(FunctionElement[Any]):
    inherit_cache = True
    type = sa.Text()


class _Member(FunctionElement[Any]):
    inherit_cache = True
    type = sa.Text()


class _Joined(FunctionElement[Any]):
    inherit_cache = True
    type = sa.Text()


WORDS: Final[dict[type[FunctionElement[Any]], tuple[str, str]]] = {
    _DetailText: ("json_extract({})", "detail_text({})"),
    _DetailNumber: ("json_extract({})", "detail_number({})"),
    _DetailFlag: ("json_extract({})", "detail_flag({})"),
    _Total: ("total({})", "coalesce(sum(CAST({} AS DOUBLE PRECISION)), 0)"),
    _Lesser: ("min({})", "least({})"),
    _Greater: ("max({})", "greatest({})"),
    _Whole: ("CAST({} AS INTEGER)", "CAST(trunc({}) AS BIGINT)"),
    _Later: ("strftime('%Y-%m-%dT%H:%M:%f000+00:00', julianday({0}) + ({1}) / 86400.0)", "moment_of({0}, {1})"),
    _Epoch: ("CAST(strftime('%s', {}) AS INTEGER)", "epoch_of({})"),
    _Position: ("instr({})", "strpos({})"),
    _IsText: (
        "({0} IN (SELECT value FROM json_each({1})))",
        "({0} IN (SELECT json_array_elements_text(CAST({1} AS json))))",
    ),
    _IsNumber: (
        "({0} IN (SELECT value FROM json_each({1})))",
        "({0} IN (SELECT CAST(json_array_elements_text(CAST({1} AS json)) AS BIGINT)))",
    ),
    _Members: ("json_each({})", "json_array_elements_text(CAST({} AS json))"),
    _Member: ("json_extract({0}, '$[{1}]')", "(CAST({0} AS json) ->> {1})"),
    _Joined: ("group_concat({}, ' ')", "string_agg(CAST({} AS TEXT), ' ')"),
}
"""How SQLite and PostgreSQL write each of them; `{}` stands for all arguments, `{0}` for the first."""


def _teach(kind: type[FunctionElement[Any]], dialect: str, template: str) -> None:
    def write(element: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
        given = [compiler.process(each, **options) for each in element.clauses]
        text = template.replace("%", "%%") if compiler.preparer._double_percents else template  # noqa: SLF001
        return text.format(*given) if "{0}" in text else text.format(", ".join(given))

    compiles(kind, dialect)(write)


for _kind, (_sqlite, _postgres) in WORDS.items():
    _teach(_kind, "sqlite", _sqlite)
    _teach(_kind, "postgresql", _postgres)


def _path(name: str) -> Column:
    return sa.literal_column(f"'$.{name}'")


def detail_text(column: Column, name: str) -> Column:
    """A text in a detail, or a part of it as JSON; `name` may be a path, such as `counts.heard`."""
    return _DetailText(column, _path(name))


def detail_number(column: Column, name: str) -> Column:
    """A number in a detail."""
    return _DetailNumber(column, _path(name))


def detail_flag(column: Column, name: str) -> Column:
    """A truth in a detail: 1, 0, or null."""
    return _DetailFlag(column, _path(name))


def total(column: Column) -> Column:
    """The sum, as a float; 0.0 of nothing."""
    return _Total(as_number(column))


def count_sum(column: Column) -> Column:
    """The sum of whole numbers, or how often a condition holds."""
    return whole(total(column))


def as_number(column: Column) -> Column:
    """A condition as 1 or 0; anything else as it is."""
    return sa.cast(column, sa.Integer) if isinstance(column.type, sa.Boolean) else column


def lesser(one: Column, other: Column) -> Column:
    """The earlier of two texts, neither of which is null."""
    return _Lesser(one, other)


def at_least_zero(number: Column) -> Column:
    """A number, or 0 if it is below."""
    return _Greater(number, sa.literal_column("0.0"))


def whole(number: Column) -> Column:
    """A number without its fraction."""
    return _Whole(number)


def later(moment: Column, seconds: Column) -> Column:
    """A time so many seconds after another one, as text that sorts as time; null where it is unknown."""
    return _Later(moment, seconds)


def epoch(moment: Column) -> Column:
    """Whole seconds since 1970."""
    return _Epoch(moment)


def holds(text: Column, part: str) -> Column:
    """Whether a text holds another one."""
    return _Position(text, sa.literal(part)) > 0


def is_one_of(column: Column, values: Sequence[str] | Sequence[int]) -> Column:
    """A condition with a single parameter: older versions of SQLite accept at most 999."""
    kind = _IsNumber if isinstance(column.type, sa.Integer) else _IsText
    return kind(column, sa.literal(json.dumps(list(values))))


def members(array: Column) -> sa.TableValuedAlias:
    """The texts in an array of JSON, as a table with the column `value`."""
    return _Members(array).table_valued("value")


def rows_of_texts(name: str, rows: Sequence[Sequence[str]], columns: Sequence[str]) -> sa.CTE:
    """Rows of texts as a table with a name and columns.

    They are a single parameter: SQLAlchemy compiles a query with thousands of parameters anew each time, which took
    longer than the database takes to answer it.
    """
    row = _Members(sa.literal(json.dumps(rows))).table_valued("value")
    members = [_Member(row.c.value, sa.literal_column(str(at))).label(column) for at, column in enumerate(columns)]
    return sa.select(*members).cte(name)


def joined(column: Column) -> Column:
    """The numbers of a group as one text, with spaces between them, nulls left out; null of none.

    A driver reads it in a tenth of the time that a row for each number takes. SQLite writes 15 digits.
    """
    return _Joined(column)
