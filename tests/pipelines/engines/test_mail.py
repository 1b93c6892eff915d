"""Letters from workers to a driver, on a disk and in a bucket."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from posemill.errors import EnvironmentFault
from posemill.pipelines.engines.mail import Mailbox, Sender
from posemill.pipelines.events import ShardDraining
from posemill.storage.mail_folders import begun_at
from posemill.storage.objects import open_objects


def numbers(box: Mailbox) -> list[int]:
    """Of the shards that the letters are of."""
    return [event.shard_id for letter in box.collect() for event in letter]  # type: ignore[union-attr]


def test_letters_come_once_and_in_order(place: str) -> None:
    box = Mailbox.create(place)
    sender = Sender(pickle.loads(pickle.dumps(box)))  # noqa: S301 - as a runner sends it
    for number in range(12):
        sender.post(ShardDraining(number))
        if number % 3 == 0:
            sender.flush()
    assert numbers(box) == list(range(10))
    sender.flush()
    assert numbers(box) == [10, 11]
    assert numbers(box) == []
    box.remove()
    assert list(open_objects(place).tree()) == ["zarr.json"]  # the part itself stays


def test_a_dozen_letters_of_one_sender_are_in_order(tmp_path: Path) -> None:
    box = Mailbox.create(tmp_path)
    sender = Sender(box)
    for number in range(12):
        sender.post(ShardDraining(number))
        sender.flush()
    assert numbers(box) == list(range(12))


def test_a_run_that_cannot_be_seen_may_be_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Mailbox.create(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(type(box.objects), "size", _refuse)
        assert box.is_open
    box.close()
    assert not box.is_open


def test_letters_of_many_threads_are_all_there(tmp_path: Path) -> None:
    box = Mailbox.create(tmp_path)
    sender = Sender(box)

    def post(number: int) -> None:
        sender.post(ShardDraining(number))
        sender.flush()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post, range(40)))
    assert sorted(numbers(box)) == list(range(40))


def test_an_empty_letter_tells_that_its_sender_is_there(tmp_path: Path) -> None:
    box = Mailbox.create(tmp_path)
    sender = Sender(box)
    for _ in range(3):
        sender.flush()
    assert list(box.collect()) == [[]]


def test_a_letter_that_cannot_be_written_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Mailbox.create(tmp_path)
    sender = Sender(box)
    sender.post(ShardDraining(1))
    with monkeypatch.context() as patch:
        patch.setattr(type(box.objects), "write", _refuse)
        with pytest.raises(EnvironmentFault, match=str(tmp_path)):
            sender.flush()
        sender.flush_if_possible()
        sender.post(ShardDraining(2))
    sender.flush()
    assert numbers(box) == [1, 2]


def _refuse(*_: object) -> None:
    raise OSError("no space")


def test_nothing_is_sent_to_a_run_that_is_over(tmp_path: Path) -> None:
    box = Mailbox.create(tmp_path)
    assert box.is_open
    box.remove()
    assert not box.is_open
    sender = Sender(box)
    sender.post(ShardDraining(1))
    sender.flush()
    assert not (tmp_path / box.name).exists()


def test_a_place_that_refuses_mail_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFault, match="file, where workers are to leave messages"):
        Mailbox.create(tmp_path / "file")


def test_a_folder_tells_when_its_run_began(tmp_path: Path) -> None:
    begun = begun_at(Mailbox.create(tmp_path).name)
    assert begun is not None
    assert abs(datetime.now(UTC) - begun) < timedelta(minutes=5)


@pytest.mark.parametrize("name", ["", "mail", "20261301T000000Z-" + "0" * 32, "20260101T000000Z"])
def test_other_names_tell_nothing(name: str) -> None:
    assert begun_at(name) is None
