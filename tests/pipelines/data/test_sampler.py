"""The order of clips: every rank's share of every epoch, from any step on."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.errors import InputError
from posemill.pipelines.data import sampler as samplers
from posemill.pipelines.data.dataset import ViewKey
from posemill.pipelines.data.sampler import Balance, ClipSampler

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=40)
BALANCES = st.sampled_from(["none", "class"])
SMALL = st.integers(1, 6)


def epoch_of(sampler: ClipSampler) -> list[list[ViewKey]]:
    """The batches that are left; the next epoch follows."""
    batches = list(sampler)
    sampler.go_to(sampler.epoch + 1, 0)
    return batches


@given(LABELS, SMALL, st.sampled_from([1, 2, 3, 4]), SMALL, BALANCES, st.integers(0, 3))
def test_ranks_share_the_same_keys_whatever_their_number(
    labels: list[int], share: int, ranks: int, repeat: int, balance: Balance, epoch: int
) -> None:
    def batches(rank: int, world_size: int) -> list[list[ViewKey]]:
        size = share * ranks // world_size
        sampler = ClipSampler(
            labels, size, 7, rank=rank, world_size=world_size, balance=balance, repeat=repeat
        )
        sampler.go_to(epoch, 0)
        assert len(list(sampler)) == len(sampler)
        return list(sampler)

    alone = batches(0, 1)
    apart = [batches(rank, ranks) for rank in range(ranks)]
    assert {len(each) for each in apart} == {len(alone)}
    for step, whole in enumerate(alone):
        parts = [each[step] for each in apart]
        assert {len(part) for part in parts} == {share}
        assert len(set(whole)) == share * ranks  # no key twice, on no two ranks
        assert sorted(key for part in parts for key in part) == sorted(whole)


@given(LABELS, SMALL, SMALL, st.integers(0, 3))
def test_an_epoch_sees_every_clip_as_often_and_fills_its_last_step(
    labels: list[int], batch_size: int, repeat: int, epoch: int
) -> None:
    sampler = ClipSampler(labels, batch_size, 1, repeat=repeat)
    sampler.go_to(epoch, 0)
    keys = [key for batch in sampler for key in batch]
    wanted = len(labels) * repeat
    assert len(keys) == -(-wanted // batch_size) * batch_size
    assert {key.epoch for key in keys} == {epoch}
    assert len(set(keys)) == len(keys)
    first = keys[:wanted]
    assert Counter(key.number for key in first) == dict.fromkeys(range(len(labels)), repeat)
    views: dict[int, list[int]] = {}
    for key in keys:
        views.setdefault(key.number, []).append(key.view)
    assert all(each == list(range(len(each))) for each in views.values())
    # What fills up the last step are the clips that came first.
    assert [key.number for key in keys[wanted:]] == [
        first[n % wanted].number for n in range(len(keys) - wanted)
    ]


@given(LABELS, SMALL, st.integers(0, 3))
def test_classes_are_drawn_alike_and_none_of_their_clips_is_left_out(
    labels: list[int], repeat: int, epoch: int
) -> None:
    wanted = len(labels) * repeat
    sampler = ClipSampler(labels, wanted, 3, balance="class", repeat=repeat)
    sampler.go_to(epoch, 0)
    (keys,) = sampler
    by_class = Counter(labels[key.number] for key in keys)
    assert set(by_class) == set(labels) or wanted < len(set(labels))
    assert max(by_class.values()) - min(by_class.values()) <= 1
    by_clip = Counter(key.number for key in keys)
    for label, drawn in by_class.items():
        members = [number for number, own in enumerate(labels) if own == label]
        often = {by_clip[number] for number in members}
        assert sum(by_clip[number] for number in members) == drawn
        assert max(often) - min(often) <= 1  # all had their turn before one has a second


@given(
    LABELS, SMALL, BALANCES, st.integers(0, 5), st.sampled_from([(0, 1), (1, 2)]), st.integers(1, 3)
)
def test_from_any_step_on_exactly_the_rest_follows(
    labels: list[int],
    batch_size: int,
    balance: Balance,
    steps: int,
    place: tuple[int, int],
    repeat: int,
) -> None:
    def made() -> ClipSampler:
        rank, world_size = place
        return ClipSampler(
            labels, batch_size, 5, rank=rank, world_size=world_size, balance=balance, repeat=repeat
        )

    whole, resumed = made(), made()
    expected = [batch for _ in range(3) for batch in epoch_of(whole)]
    steps = min(steps, 3 * len(whole) - 1)
    resumed.go_to(steps // len(whole), steps % len(whole))
    rest = [batch for _ in range(3 - resumed.epoch) for batch in epoch_of(resumed)]
    assert rest == expected[steps:]


def test_what_is_fetched_ahead_is_not_what_is_done() -> None:
    sampler = ClipSampler([0] * 10, 2, 0)
    batches = iter(sampler)
    ahead = [next(batches) for _ in range(3)]
    assert (sampler.epoch, sampler.step) == (0, 0)
    sampler.go_to(0, 1)
    assert list(sampler)[:2] == ahead[1:]


def test_every_epoch_and_seed_has_an_order_of_its_own() -> None:
    sampler = ClipSampler([0] * 50, 50, seed=1)
    (first,), (second,) = epoch_of(sampler), epoch_of(sampler)
    (other,) = ClipSampler([0] * 50, 50, seed=2)
    orders = [[key.number for key in keys] for keys in (first, second, other)]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(50))
    assert len({tuple(order) for order in orders}) == 3


@pytest.mark.parametrize(("ranks", "size"), [(1, 4), (3, 2), (4, 5), (5, 1)])
def test_tests_see_every_clip_once(ranks: int, size: int) -> None:
    shares = [samplers.TestSampler(11, size, rank=rank, world_size=ranks) for rank in range(ranks)]
    found = [number for share in shares for batch in share for number in batch]
    assert sorted(found) == list(range(11))
    assert all(len(batch) <= size for share in shares for batch in share)
    assert [len(list(share)) for share in shares] == [len(share) for share in shares]
    assert list(samplers.TestSampler(5, 2)) == [[0, 1], [2, 3], [4]]


def test_numbers_out_of_range_are_refused() -> None:
    for arguments, message in (
        (([], 1, 0), "labels must be those of one clip or more, got 0"),
        (([0], 0, 0), "batch_size must be 1 or more, got 0"),
    ):
        with pytest.raises(InputError, match=message):
            ClipSampler(*arguments)
    with pytest.raises(InputError, match="rank must be from 0 to below 2, got 2"):
        ClipSampler([0], 1, 0, rank=2, world_size=2)
    with pytest.raises(InputError, match="repeat must be 1 or more, got 0"):
        ClipSampler([0], 1, 0, repeat=0)
    with pytest.raises(InputError, match="step must be from 0 to below 3, got 3"):
        ClipSampler([0] * 6, 2, 0).go_to(0, 3)
    with pytest.raises(InputError, match="batch_size must be 1 or more"):
        samplers.TestSampler(3, 0)


def test_orders_do_not_depend_on_the_global_generator() -> None:
    np.random.seed(0)  # noqa: NPY002 (the global generator must not matter)
    first = list(ClipSampler([0, 1, 2], 2, 0))
    np.random.seed(1)  # noqa: NPY002
    assert list(ClipSampler([0, 1, 2], 2, 0)) == first
