from __future__ import annotations

import pytest

from posemill.errors import EnvironmentFault, InputError
from posemill.pipelines.events import Event, ItemDone
from posemill.pipelines.quarantine_limit import QuarantineLimit


def tell(limit: QuarantineLimit, status: str, number: int) -> None:
    for item in range(number):
        limit(ItemDone(0, f"video-{item}", status, 0, f"video-{item}.mp4: why"))


def test_events_are_passed_on() -> None:
    passed: list[Event] = []
    limit = QuarantineLimit(0.05, passed.append)
    tell(limit, "ok", 3)
    assert [event.item_id for event in passed] == ["video-0", "video-1", "video-2"]


def test_a_handful_is_allowed_where_any_are() -> None:
    limit = QuarantineLimit(0.01, lambda _: None)
    tell(limit, "quarantined", 10)
    with pytest.raises(EnvironmentFault, match=r"11 of 11 videos.*more than 1%.*video-0.mp4: why"):
        tell(limit, "quarantined", 1)


def test_none_is_allowed_where_the_share_is_zero() -> None:
    limit = QuarantineLimit(0.0, lambda _: None)
    tell(limit, "ok", 100)
    with pytest.raises(EnvironmentFault, match=r"1 of 101 videos.*more than 0%"):
        tell(limit, "quarantined", 1)


def test_the_share_is_of_what_was_tried() -> None:
    limit = QuarantineLimit(0.05, lambda _: None)
    tell(limit, "ok", 970)
    tell(limit, "missing", 10)
    tell(limit, "quarantined", 51)  # of 1031: 4.9 %
    with pytest.raises(EnvironmentFault, match=r"52 of 1032"):
        tell(limit, "quarantined", 1)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_from_0_to_1(share: float) -> None:
    with pytest.raises(InputError, match="from 0 to 1"):
        QuarantineLimit(share, lambda _: None)
