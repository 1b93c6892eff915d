"""Which clips are taken, what classes they and their mirror images are of, what is refused."""

import pytest
from made_clips import CLASSES, made_clips

from posemill.errors import InputError
from posemill.pipelines.data.clips import (
    check_flip,
    check_test_flip,
    names_a_side,
    require_classes,
    select_rows,
)
from posemill.storage.feature_rows import FeatureRow

SIDED = ("wave_left", "wave_right", "nod")


def row(name: str, label: int = 0) -> FeatureRow:
    return FeatureRow(name, f"video of {name}", label, -1, {}, 0, 1.0, 2.5)


def test_labelled_and_available_rows_are_taken_in_order() -> None:
    rows = [row("a"), row("b", -1), row("c", 2), row("d", 1)]
    clips = select_rows(
        "f.zarr", ("default", "train"), rows, [True, True, False, True], lacking="has features"
    )
    assert clips.clip_ids == ("a", "d")
    assert clips.video_ids == ("video of a", "video of d")
    assert clips.labels == ((0,), (1,))
    assert clips.spans == ((1.0, 2.5), (1.0, 2.5))
    assert clips.num_unavailable == 1  # c; b has no label
    picked = clips.pick([1])
    assert (picked.clip_ids, picked.labels, len(picked)) == (("d",), ((1,),), 1)
    assert clips.pick([1, 0]).pick([1, 0]) == clips


@pytest.mark.parametrize(
    ("rows", "available", "message"),
    [
        ([], [], r"f\.zarr: default/train is empty; choose a subset with clips"),
        ([row("a", -1)], [True], "none of the 1 clips of default/train has a label; put the vid"),
        ([row("a"), row("b")], [False] * 2, "none of the 2 labelled clips of default/train has f"),
    ],
)
def test_nothing_to_read_is_said_in_one_line(
    rows: list[FeatureRow], available: list[bool], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        select_rows("f.zarr", ("default", "train"), rows, available, lacking="has features")
    assert "\n" not in str(caught.value)


def test_one_class_is_nothing_to_learn() -> None:
    require_classes("f.zarr", CLASSES, made_clips(((0,), (1,))))
    require_classes("f.zarr", CLASSES, made_clips(((0, 1),)))
    with pytest.raises(InputError, match="all 2 clips to train on are of the class jump; give"):
        require_classes("f.zarr", CLASSES, made_clips(((1,), (1,))))


def test_a_flip_puts_the_mirrored_class_first() -> None:
    clips = made_clips(((0, 2), (1,)), (1, -1))
    assert clips.labels_of(0, flipped=False) == (0, 2)
    assert clips.labels_of(0, flipped=True) == (1, 2)
    assert clips.labels_of(1, flipped=True) == (1,)


def test_flips_of_sides_without_a_mirror_are_refused() -> None:
    check_flip(SIDED, made_clips(((0,), (1,), (2,)), (1, 0, -1)))
    with pytest.raises(InputError, match=r"classes wave_right into .* mirror_labels\.json"):
        check_flip(SIDED, made_clips(((0,), (1,), (2,)), (1, -1, -1)))
    # Of several classes only the first one has a mirror.
    with pytest.raises(InputError, match="of the classes wave_left into"):
        check_flip(SIDED, made_clips(((2, 0),), (2,)))


def test_mirror_images_of_other_classes_are_not_averaged() -> None:
    check_test_flip(SIDED, made_clips(((2,), (2,)), (2, -1)))
    with pytest.raises(InputError, match="of the classes wave_left, wave_right are of other cla"):
        check_test_flip(SIDED, made_clips(((0,), (1,), (2,)), (1, 0, 2)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wave_left", True),
        ("Right Turn", True),
        ("turnRight", True),
        ("left2", True),
        ("leftover", False),
        ("bright_light", False),
        ("copyright", False),
    ],
)
def test_sides_are_whole_words(name: str, expected: bool) -> None:
    assert names_a_side(name) is expected
