"""Faults of every kind, done for real to a supervised child."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from processes import is_alive, wait_until

from posemill.errors import EnvironmentFault, InputError
from posemill.pipelines.supervise import (
    Condemned,
    Finished,
    Item,
    JobSpec,
    Limits,
    Setback,
    Supervisor,
)
from posemill.pipelines.supervise.messages import Report

LIMITS = Limits(silence_seconds=2.0, item_seconds=60.0, memory_bytes=2**29)
Make = Callable[..., Supervisor]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes a supervisor of a `FaultyJob`; keyword arguments are the job's, or `limits`."""
    made = []

    def build(limits: Limits = LIMITS, **kwargs: object) -> Supervisor:
        spec = JobSpec("supervised_jobs:FaultyJob", {"folder": tmp_path, **kwargs})
        made.append(Supervisor(spec, limits, check=lambda _: None))
        return made[-1]

    yield build
    for supervisor in made:
        supervisor.close()


def items(*faults: str, cost: float = 0.0) -> list[Item]:
    return [Item(f"item-{number}", fault, cost) for number, fault in enumerate(faults)]


def verdicts(reports: list[Report]) -> dict[str, str]:
    """Item to `ok` or the reason why it is condemned."""
    ended = [report for report in reports if isinstance(report, Finished | Condemned)]
    assert len({report.item_id for report in ended}) == len(ended)
    return {r.item_id: r.reason if isinstance(r, Condemned) else "ok" for r in ended}


def test_all_items_are_done_by_one_child(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    supervisor = make()
    reports = [*supervisor.work(items("", "")), *supervisor.work(items(""))]
    assert len({report.result for report in reports if isinstance(report, Finished)}) == 1
    assert not [report for report in reports if isinstance(report, Setback)]
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.count("a line on standard output") == 3


@pytest.mark.parametrize(
    ("fault", "reason", "words"),
    [
        ("segfault", "crashed", "killed by SIGSEGV while looking at item-1, also alone"),
        ("abort", "crashed", "killed by SIGABRT while looking at item-1"),
        ("exit", "crashed", "ended by itself with exit status 3"),
        ("hang", "timeout", "no sign of life for 4 s while looking at item-1"),
        ("hoard", "memory", "its limit is 0.50 GiB while hoarding"),
        ("no_memory", "memory", "MemoryError: want 9 TB"),
        ("exception", "failed", "RuntimeError: out of imagination (supervised_jobs.py:"),
    ],
)
def test_an_item_that_fails_alone_again_is_condemned_and_no_other(
    make: Make, fault: str, reason: str, words: str
) -> None:
    reports = list(make().work(items("", fault, "")))
    assert verdicts(reports) == {"item-0": "ok", "item-1": reason, "item-2": "ok"}
    (condemned,) = [report for report in reports if isinstance(report, Condemned)]
    assert words in condemned.message
    (setback,) = [report for report in reports if isinstance(report, Setback)]
    assert setback.item_ids == ("item-1",)


def test_the_time_limit_follows_the_cost(make: Make) -> None:
    limits = Limits(item_seconds=1.0, item_seconds_per_cost=0.5, silence_seconds=60.0)
    (*_, condemned) = make(limits).work(items("dawdle", cost=2.0))
    assert isinstance(condemned, Condemned)
    assert condemned.reason == "timeout"
    assert "no further within its limit of 4 s while dawdling" in condemned.message  # twice, alone
    assert "at first: no further within its limit of 2 s" in condemned.message


def test_an_item_that_gets_on_is_never_too_slow(make: Make) -> None:
    """A slow network is no fault of a video's: it takes 3 s here, where 2 s without news would be
    too long."""
    limits = Limits(item_seconds=2.0, item_seconds_per_cost=1e-9, silence_seconds=60.0)
    assert verdicts(list(make(limits).work(items("plod")))) == {"item-0": "ok"}


def test_an_item_that_fails_once_is_kept(make: Make) -> None:
    reports = list(make().work(items("segfault once", "exception once", "")))
    assert set(verdicts(reports).values()) == {"ok"}


def test_of_several_items_begun_only_the_guilty_one_is_condemned(make: Make) -> None:
    reports = list(make(ahead=3).work(items("", "", "segfault", "", "")))
    expected = {f"item-{number}": "ok" for number in range(5)} | {"item-2": "crashed"}
    assert verdicts(reports) == expected
    (setback,) = [report for report in reports if isinstance(report, Setback)]
    assert setback.item_ids == ("item-2",)  # 0 and 1 were finished
    reports = list(make(ahead=3).work(items("segfault", "", "")))
    assert verdicts(reports) == {"item-0": "crashed", "item-1": "ok", "item-2": "ok"}
    (setback,) = [report for report in reports if isinstance(report, Setback)]
    assert setback.item_ids == ("item-2", "item-1", "item-0")  # newest first


@pytest.mark.parametrize("fault", ["killed", "terminated"])
def test_a_child_that_others_kill_says_nothing_of_its_item(make: Make, fault: str) -> None:
    """Not even when it happens again as often as would condemn an item."""
    assert verdicts(list(make().work(items("", f"{fault} thrice")))) == {
        "item-0": "ok",
        "item-1": "ok",
    }


def test_a_child_that_others_kill_again_and_again_is_the_environments_fault(make: Make) -> None:
    with pytest.raises(EnvironmentFault, match=r"5 times in a row.*SIGKILL"):
        list(make().work(items("killed")))


@pytest.mark.parametrize(
    ("fault", "words"), [("environment", "the network is gone"), ("disk", "No space left")]
)
def test_what_the_environment_does_condemns_no_item(make: Make, fault: str, words: str) -> None:
    supervisor = make()
    with pytest.raises(EnvironmentFault, match=words):
        list(supervisor.work(items(fault)))
    assert verdicts(list(supervisor.work(items("")))) == {"item-0": "ok"}


@pytest.mark.parametrize(
    ("probe", "words"),
    [
        ("exception", "out of imagination"),
        ("segfault", "known-good work fails.*SIGSEGV"),
        ("exit", "exit status 3"),
        ("killed", "5 times in a row"),
    ],
)
def test_known_good_work_that_fails_is_the_environments_fault(
    make: Make, probe: str, words: str
) -> None:
    with pytest.raises(EnvironmentFault, match=words):
        make(probe=probe).ready()


def test_a_child_that_is_not_ready_in_time_is_the_environments_fault(make: Make) -> None:
    with pytest.raises(EnvironmentFault, match="not ready after 2 s"):
        make(Limits(start_seconds=2.0), probe="hang").ready()


@pytest.mark.parametrize("fault", ["segfault", "exception"])
def test_a_device_that_breaks_at_work_condemns_no_item(make: Make, fault: str) -> None:
    with pytest.raises(EnvironmentFault, match="the device is lost"):
        list(make(probe="after_item_fault").work(items("", fault)))


def test_a_device_that_breaks_while_a_suspect_is_alone_condemns_no_item(make: Make) -> None:
    """Known-good work goes well before the suspect is tried alone, and no more afterwards."""
    with pytest.raises(EnvironmentFault, match="the device is lost"):
        list(make(probe="after_two_item_faults").work(items("", "exception")))


def test_a_child_with_other_facts_is_refused(tmp_path: Path) -> None:
    def check(facts: object) -> None:
        raise EnvironmentFault(f"not {facts}")

    spec = JobSpec("supervised_jobs:FaultyJob", {"folder": tmp_path})
    with pytest.raises(EnvironmentFault, match="not the facts"):
        Supervisor(spec, LIMITS, check).ready()


def test_a_job_that_cannot_be_built_is_the_environments_fault() -> None:
    spec = JobSpec("supervised_jobs:NoJob")
    with pytest.raises(EnvironmentFault, match=r"AttributeError.*NoJob"):
        Supervisor(spec, LIMITS, check=lambda _: None).ready()


def test_a_child_ends_when_it_is_closed(make: Make) -> None:
    supervisor = make()
    pids = [r.result for r in supervisor.work(items("")) if isinstance(r, Finished)]
    supervisor.close()
    wait_until(lambda: not is_alive(pids[0]))


def test_a_child_whose_work_is_given_up_is_ended(make: Make) -> None:
    work = make().work(items("", "hang"))
    pid = next(report.result for report in work if isinstance(report, Finished))
    work.close()
    wait_until(lambda: not is_alive(pid))


def test_limits_are_validated() -> None:
    with pytest.raises(InputError, match="limit silence_seconds must be above 0, got 0"):
        Limits(silence_seconds=0)
