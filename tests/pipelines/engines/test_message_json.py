"""Messages as lines of JSON: every kind of them, and what is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.errors import EnvironmentFault
from posemill.pipelines.engines.message_json import KINDS, Told, from_lines, to_lines
from posemill.pipelines.events import ItemDone, WorkerRetired
from posemill.pipelines.tasks import ShardOutcome

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
_VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(),
    int: st.integers(),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    tuple[int, ...]: st.lists(st.integers()).map(tuple),
    tuple[str, ...]: st.lists(st.text()).map(tuple),
    ShardOutcome: st.sampled_from(ShardOutcome),
    Mapping[str, Any] | None: st.none() | st.dictionaries(st.text(), _JSON),
}


def of_kind(kind: type[Told]) -> st.SearchStrategy[Told]:
    """A kind with a field of a type that is not above has no test, and fails here."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: _VALUES[hints[field.name]] for field in fields(kind)})


@pytest.mark.parametrize("kind", KINDS.values())
def test_every_kind_comes_back_as_it_was(kind: type[Told]) -> None:
    @given(st.lists(of_kind(kind), max_size=3))
    def comes_back(messages: list[Told]) -> None:
        assert from_lines(to_lines(messages), "here") == messages

    comes_back()


def test_names_of_files_that_are_no_text_come_back() -> None:
    message = ItemDone(0, "\udc80.mp4", "quarantined", 0, "a\nb\u2028c")
    assert from_lines(to_lines([message]), "here") == [message]


@pytest.mark.parametrize(
    "data", [b"\x80\n", b"{\n", b"{}\n", b"[]\n", b'{"kind": "Nope"}\n', b'{"kind": "ItemDone"}\n']
)
def test_what_is_no_message_is_refused_by_its_place(data: bytes) -> None:
    with pytest.raises(EnvironmentFault, match=r"here/0\.jsonl: .*the same version"):
        from_lines(to_lines([WorkerRetired("first")]) + data, "here/0.jsonl")
