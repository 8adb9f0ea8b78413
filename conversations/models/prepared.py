"""Look-ups whose SQL is made once: for the few that every turn asks, where building it costs ten times what the database takes.

It must never be used where the shape of a query depends on its arguments.
"""

from collections.abc import Callable
from copy import copy
from functools import cached_property, update_wrapper
from typing import Any, get_type_hints

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet

from .keys import LARGEST_KEY

STAND_INS: dict[type, Callable[[int], Any]] = {
    int: lambda place: 2_147_480_000 + place,  # no constant of ours, and not too large for any key
    str: lambda place: f"\N{REPLACEMENT CHARACTER}{place}",
}


class Prepared[**P, Row]:
    """Call it as the function it is made from, and get the rows of the query set that the function returns.

    The function is called once, with stand-ins for its arguments, which are all `int` or `str` and stand in the SQL as they are.
    What the query set would prefetch is not.
    """

    def __init__(self, build: Callable[P, QuerySet[Any, Row]]) -> None:
        self._build = build
        update_wrapper(self, build)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[Row]:
        if any(isinstance(value, int) and value > LARGEST_KEY for value in args):
            return []
        queryset, compiler, sql, converters, places = self._compiled
        params = [value if place is None else type(value)(args[place]) for value, place in places]
        compiler = copy(compiler)
        compiler.connection = connections[DEFAULT_DB_ALIAS]
        compiler.as_sql = lambda *_, **__: (sql, tuple(params))
        compiler.get_converters = lambda _: converters
        queryset = queryset.all()
        queryset.query.get_compiler = lambda *_, **__: compiler
        return list(queryset._iterable_class(queryset))

    def first(self, *args: P.args, **kwargs: P.kwargs) -> Row | None:
        return next(iter(self(*args, **kwargs)), None)

    @cached_property
    def _compiled(self) -> tuple[Any, Any, str, Any, list[tuple[Any, int | None]]]:
        hints = get_type_hints(self._build)
        hints.pop("return", None)
        stand_ins = [STAND_INS[kind](place) for place, kind in enumerate(hints.values())]
        queryset: Any = self._build(*stand_ins)  # type: ignore[call-arg]
        compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        assert set(stand_ins) <= set(params), f"{self._build.__name__}: an argument does not reach the SQL as it is"
        converters = compiler.get_converters([column for column, _, _ in compiler.select])
        places = [(value, stand_ins.index(value) if value in stand_ins else None) for value in params]
        return queryset, compiler, sql, converters, places
