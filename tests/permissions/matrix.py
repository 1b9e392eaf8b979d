"""One operation, called by everybody with every kind of id; and what should come of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.permissions.callers import Caller, Cast, forget
from tests.permissions.described import Operation, words
from tests.permissions.stage import ANY_CLIENT, MALFORMED, MISSING, Side, Stage, body_of, query_ids
from tests.permissions.watch import Rows, counted, rows_of, texts
from tests.world import Answer

OK = frozenset({200, 201})
ANSWERS_ABOUT_ANYONE = frozenset({"check_access"})
"""An app calls its clients what it likes: one that it does not know has not paid, no more."""


@dataclass(frozen=True)
class Named:
    """The ids of a call: all of one app's things, or of nobody's."""

    kind: str
    ids: Mapping[str, str]
    side: Side | None = None

    @property
    def is_malformed(self) -> bool:
        """Whether these can be nobody's."""
        return self.kind.startswith("malformed")


@dataclass(frozen=True)
class Outcome:
    """What one call came to. `names` are those of the ids that it sent."""

    caller: Caller
    named: Named
    expected: frozenset[int]
    is_seen: bool
    names: tuple[str, ...]
    status: int
    headers: Mapping[str, str]
    body: str
    asked: Mapping[str, int]
    """How much it asked of each store."""

    @property
    def is_about_nothing(self) -> bool:
        """Whether it should make no difference whether there is such a thing."""
        return not self.named.is_malformed and not (self.is_seen and self.expected == OK)

    @property
    def sent(self) -> set[str]:
        """What the caller itself said: an answer may repeat it."""
        ids = self.named.ids
        return {ids[name] for name in self.names} | {self.caller.client_id, ANY_CLIENT}

    @property
    def told(self) -> str:
        """The whole answer but for its request and rate headers, and an id that it repeats."""
        headers = {
            name: value for name, value in self.headers.items() if not name.startswith("ratelimit-")
        }
        text = f"{self.status} {sorted(headers.items())} {self.body}"
        for value in self.named.ids.values():
            text = text.replace(value, "…")
        return text

    def __str__(self) -> str:
        return f"{self.caller.name}, {self.named.kind}: {self.status} {self.body[:200]}"


@dataclass(frozen=True)
class Round:
    """The calls of those who have no business with one app, and its rows before and after them."""

    strangers_to: Side
    outcomes: list[Outcome]
    before: Rows
    after: Rows
    secrets: frozenset[str]
    """The texts that only the rows of that app have."""


@dataclass(frozen=True)
class Matrix:
    """All calls of an operation."""

    operation: Operation
    rounds: list[Round]
    operators: list[Outcome]

    @property
    def outcomes(self) -> list[Outcome]:
        """Of everybody."""
        return [*(each for one in self.rounds for each in one.outcomes), *self.operators]


def play(operation: Operation, stage: Stage, cast: Cast) -> Matrix:
    """Calls the operation in every way. Each app's own callers come while the other is watched."""
    forget(stage)  # so that the minute in which a key is believed does not end in the midst of it
    stage.fill_cache()
    rounds = [
        _round(stage, operation, [*cast.strangers, *cast.ours], strangers_to=stage.theirs),
        _round(stage, operation, cast.theirs, strangers_to=stage.ours),
    ]
    return Matrix(operation, rounds, list(_calls(stage, operation, cast.operators)))


def _round(
    stage: Stage, operation: Operation, who: Iterable[Caller], *, strangers_to: Side
) -> Round:
    other = stage.ours if strangers_to is stage.theirs else stage.theirs
    known = words() | set(texts(list(rows_of(stage.world, other.app.id).values())))
    before = rows_of(stage.world, strangers_to.app.id)
    return Round(
        strangers_to,
        outcomes=list(_calls(stage, operation, who)),
        before=before,
        after=rows_of(stage.world, strangers_to.app.id),
        secrets=frozenset(texts(list(before.values()))) - known,
    )


def _calls(stage: Stage, operation: Operation, who: Iterable[Caller]) -> Iterator[Outcome]:
    for caller in who:
        call(stage, operation, caller, MISSING)  # from now on who this is is known
        for named in kinds(stage, operation):
            if named.is_malformed and not _may(caller, operation):
                continue  # nobody looks at ids so early
            expected, is_seen = expect(operation, caller, named), _sees(caller, named.side)
            ids = dict(named.ids)
            if operation.target and named.side and is_seen and expected == OK:
                ids[operation.target] = stage.fresh(operation.target, named.side, operation.name)
            with counted() as asked:
                answer = call(stage, operation, caller, ids)
            yield Outcome(
                caller,
                named,
                expected,
                is_seen,
                named_by(operation),
                answer.status,
                answer.headers,
                answer.body,
                dict(asked),
            )


def kinds(stage: Stage, operation: Operation) -> list[Named]:
    """The kinds of ids that make a difference to this operation."""
    found = [Named("own", stage.ours.ids, stage.ours)]
    in_query = query_ids(operation.query)
    if named_by(operation):
        found += [
            Named("foreign", stage.theirs.ids, stage.theirs),
            Named("missing", {**stage.ours.ids, **MISSING}),
            *(
                Named(f"malformed {text[:20]!r}", dict.fromkeys(MISSING, text))
                for text in MALFORMED
            ),
        ]
    if operation.target and in_query:
        of_theirs = {name: stage.theirs.ids[name] for name in in_query}
        found.append(Named("own in their app", {**stage.ours.ids, **of_theirs}))
    return found


def expect(operation: Operation, caller: Caller, named: Named) -> frozenset[int]:
    """By the document's word on roles and scope, and by whose the ids are, alone."""
    if not caller.role:
        return frozenset({401})
    if not _may(caller, operation):
        return frozenset({403})
    if named.is_malformed:
        return frozenset({404, 422})
    if operation.name in ANSWERS_ABOUT_ANYONE:
        return OK if caller.client_id in ("", named.ids["client_id"]) else frozenset({404})
    if _sees(caller, named.side) or (named.kind == "own" and not named_by(operation)):
        return OK
    if operation.target:
        return frozenset({404})
    return frozenset({422}) if _body_names(operation) else OK  # a filter that lets nothing through


def _may(caller: Caller, operation: Operation) -> bool:
    return caller.role in operation.roles and operation.scope in caller.scopes


def _sees(caller: Caller, side: Side | None) -> bool:
    if side is None or caller.role == "admin":
        return side is not None
    return caller.app_id == side.app.id and caller.client_id in ("", side.client_id)


def named_by(operation: Operation) -> tuple[str, ...]:
    """The ids that a call of this operation sends, by their names."""
    target = (operation.target,) if operation.target else ()
    return (*target, *query_ids(operation.query), *_body_names(operation))


def _body_names(operation: Operation) -> tuple[str, ...]:
    return body_of(operation.schema).names if operation.schema else ()


def call(stage: Stage, operation: Operation, caller: Caller, ids: Mapping[str, str]) -> Answer:
    """One call, with these ids wherever the operation takes one."""
    headers = {
        "authorization": caller.authorization,
        "content-type": "application/json",
        "x-request-id": "the-same",
    }
    if operation.is_idempotent:
        headers["idempotency-key"] = stage.unique("call")
    body: Any = body_of(operation.schema).of(stage, ids) if operation.schema else None
    query = "&".join(f"{name}={quote(ids[name])}" for name in query_ids(operation.query))
    return stage.world.call(
        operation.function,
        method=operation.method,
        path=f"/{quote(ids[operation.target], safe='')}" if operation.target else "",
        query=query,
        body=body,
        headers=headers,
    )
