"""Answers of two runs brought together by clip, and refused where they differ."""

from dataclasses import replace
from typing import Any

import pytest
from made_predictions import predictions

from posemill.errors import InputError
from posemill.pipelines.fuse.join import join, num_unavailable

ONE = predictions([[1, 0], [0, 1], [2, 0]], [0, 1, 0])


def two(other: Any, **options: Any) -> Any:
    return join({"runs/a": ONE, "runs/b": other}, **options)


def test_clips_come_in_the_order_of_the_first() -> None:
    assert two(ONE.pick([2, 0, 1])) == (ONE, ONE)


def test_common_clips_alone() -> None:
    fewer = replace(ONE.pick([2, 1]), num_unavailable=2)
    with pytest.raises(InputError, match="runs/b lacks 1 of the 3 clips of runs/a and has 0 oth"):
        two(fewer)
    joined = two(fewer, only_common=True)
    assert [each.clip_ids for each in joined] == [("c1", "c2")] * 2
    # Three clips of the subset were scored in one, two and two others not in the other.
    assert num_unavailable([ONE, fewer], len(joined[0])) == 2
    with pytest.raises(InputError, match="have no clip in common"):
        two(replace(ONE, clip_ids=("x", "y", "z")), only_common=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ("a", "z")}, "1 differ: class 1 is 'b' in runs/a and 'z' in runs/b"),
        ({"split": "split2"}, "runs/a was scored with split=default and runs/b with split=split2"),
        ({"labels": ((0,), (0,), (0,))}, "1 of 3 clips have other labels in runs/b .* as c1"),
        ({"clip_ids": ("c0", "c1", "c9")}, "lacks 1 of the 3 .* has 1 others, as c2"),
        ({"multi_label": True}, "multi_label=False and runs/b with multi_label=True"),
    ],
)
def test_answers_that_differ_are_refused(change: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        two(replace(ONE, **change))


def test_another_number_of_classes_is_refused() -> None:
    other = predictions([[1, 0, 0]] * 3, [0, 1, 0])
    with pytest.raises(InputError, match="runs/a has 2 classes and runs/b 3, of which 0 differ;"):
        two(other)


def test_labels_of_clips_with_several_may_be_ordered_otherwise() -> None:
    one = predictions([[1, 0, 0]], [(0, 1, 2)], multi_label=True)
    assert len(join({"a": one, "b": replace(one, labels=((2, 0, 1),))})) == 2
    of_class = predictions([[1, 0, 0]], [(0, 1)])
    with pytest.raises(InputError, match="1 of 1 clips have other labels"):
        join({"a": of_class, "b": replace(of_class, labels=((1, 0),))})
    with pytest.raises(InputError, match="1 of 1 clips have other labels"):
        join({"a": one, "b": replace(one, labels=((0, 1),))})
