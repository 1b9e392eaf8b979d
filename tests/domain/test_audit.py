"""Heads as an operator notes them down, and broken links as they are told."""

import pytest

from tollgate.domain.audit import NO_HASH, BrokenLink, Head, Wrong

HASH = bytes(range(32))


@pytest.mark.parametrize("chain", ["", "app_019c1347d280bfe5bf1356f0e58ef60b"])
@pytest.mark.parametrize("position", [1, 10, 10**18 - 1])
def test_a_head_is_read_as_it_was_written(chain: str, position: int) -> None:
    head = Head(chain, position, HASH)
    assert Head.parse(str(head)) == head


def test_how_a_head_is_written() -> None:
    assert str(Head("app_1", 12, HASH)) == f"app_1=12:{HASH.hex()}"
    assert str(Head("", 1, HASH)) == f"operators=1:{HASH.hex()}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "app_1",
        "app_1=12",
        f"=12:{HASH.hex()}",
        f"app_1=0:{HASH.hex()}",
        f"app_1=-1:{HASH.hex()}",
        f"app_1=٣:{HASH.hex()}",
        f"app_1={10**18}:{HASH.hex()}",
        f"app_1=12:{HASH.hex()[2:]}",
        f"app_1=12:{HASH.hex()}00",
        f"app_1=12:{HASH.hex().upper()}",
        f"app_1=12:{HASH.hex()}\n",
        f" app_1=12:{HASH.hex()}",
    ],
)
def test_what_is_no_head(text: str) -> None:
    with pytest.raises(ValueError, match="CHAIN=POSITION:HASH"):
        Head.parse(text)


def test_a_chain_begins_with_nothing() -> None:
    assert (Head("app_1").position, Head("app_1").hash) == (0, NO_HASH)


@pytest.mark.parametrize(
    ("position", "audit_id", "place"),
    [(12, 57, "position 12, audit row 57"), (12, None, "position 12"), (None, 57, "audit row 57")],
)
def test_a_broken_link_is_told_by_its_place(
    position: int | None, audit_id: int | None, place: str
) -> None:
    broken = BrokenLink("app_1", position, audit_id, Wrong.ROW_MISSING)
    assert str(broken) == f"app_1: {place}: the audit row is missing"
