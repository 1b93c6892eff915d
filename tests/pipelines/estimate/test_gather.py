"""Which frames go together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from posemill.pipelines.estimate.gather import Gather


def test_a_full_bucket_goes_first_and_in_order() -> None:
    gather = Gather[int]()
    for frame, bucket in enumerate("abbabb"):
        gather.put(bucket, frame)
    assert gather.is_due(4)
    assert gather.take(4) == [1, 2, 4, 5]
    assert not gather.is_due(4)
    assert gather.take(4) == [0, 3]  # what there is, where somebody asks all the same
    assert not gather


def test_a_frame_without_its_like_waits_for_four_batches_of_others_at_most() -> None:
    gather = Gather[str]()
    gather.put("rare", "alone")
    for number in range(4):
        gather.put("usual", f"a{number}")
        gather.put("usual", f"b{number}")
        if number < 3:
            assert gather.take(2) == [f"a{number}", f"b{number}"]
    # Nine frames were put since, the lonely one among them: 4 batches of 2 are 8.
    assert gather.take(2) == ["alone"]
    assert gather.take(2) == ["a3", "b3"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60), st.integers(1, 7))
def test_every_frame_goes_once_with_its_like_in_order(
    steps: list[tuple[str, bool]], size: int
) -> None:
    gather = Gather[tuple[str, int]]()
    taken: list[tuple[str, int]] = []
    for number, (bucket, take) in enumerate(steps):
        gather.put(bucket, (bucket, number))
        if take:
            batch = gather.take(size)
            assert len(batch) <= size
            assert len({name for name, _ in batch}) == 1
            taken += batch
    while gather:
        taken += gather.take(size)
    assert sorted(number for _, number in taken) == list(range(len(steps)))
    for bucket in "abc":
        numbers = [number for name, number in taken if name == bucket]
        assert numbers == sorted(numbers)
