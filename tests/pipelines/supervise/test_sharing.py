"""Items of several threads in one child: faults of one's are no fault of the other's."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from processes import is_alive, wait_until

from posemill.errors import EnvironmentFault
from posemill.pipelines.supervise import (
    AllTaken,
    Begun,
    Condemned,
    Finished,
    Item,
    JobSpec,
    Limits,
    Setback,
    SharedSupervisor,
    Supervisor,
)
from posemill.pipelines.supervise.messages import Report

Reports = list[Report | AllTaken]


class Crew:
    """Several who share a supervisor, each in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = ThreadPoolExecutor()
        self.supervisor: SharedSupervisor

    def supervise(self, job: str, **kwargs: object) -> None:
        spec = JobSpec(f"supervised_jobs:{job}", {"folder": self._folder, **kwargs})
        limits = Limits(silence_seconds=4.0)
        self.supervisor = SharedSupervisor(Supervisor(spec, limits, check=lambda _: None))

    def work(self, items: list[Item]) -> Future[Reports]:
        return self._threads.submit(lambda: list(self.supervisor.work(items)))

    def work_after(self, first: list[Item], then: list[Item]) -> tuple[Future[Reports], ...]:
        """The second begins when the child has all of the first one's."""
        reports = self.supervisor.work(first)
        heard: Reports = []
        while AllTaken() not in heard:
            heard.append(next(reports))
        other = self.work(then)
        return self._threads.submit(lambda: [*heard, *reports]), other

    def close(self) -> None:
        self._threads.shutdown()
        self.supervisor.close()


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    crew = Crew(tmp_path)
    yield crew
    crew.close()


def lot(name: str, *faults: str) -> list[Item]:
    return [Item(f"{name}{number}", fault, 0.0) for number, fault in enumerate(faults)]


def verdicts(reports: Reports) -> dict[str, str]:
    """Item to `ok` or the reason why it is condemned."""
    ended = [report for report in reports if isinstance(report, Finished | Condemned)]
    assert len({report.item_id for report in ended}) == len(ended)
    return {r.item_id: r.reason if isinstance(r, Condemned) else "ok" for r in ended}


def children(*reports: Reports) -> set[int]:
    return {r.result for each in reports for r in each if isinstance(r, Finished)}


def test_one_child_does_the_items_of_all_and_each_hears_of_its_own(crew: Crew) -> None:
    crew.supervise("FaultyJob")
    futures = [crew.work(lot(name, "", "")) for name in "abc"]
    found = [future.result() for future in futures]
    assert [verdicts(each) for each in found] == [{f"{n}0": "ok", f"{n}1": "ok"} for n in "abc"]
    assert len(children(*found)) == 1
    again = crew.work(lot("d", "")).result()
    assert children(*found) == children(again)


def test_who_has_no_items_hears_nothing(crew: Crew) -> None:
    crew.supervise("NoJob")
    assert crew.work([]).result() == []


def test_anothers_items_are_begun_while_the_last_of_one_are_at_work(crew: Crew) -> None:
    """The job is done with no item before another one is begun."""
    crew.supervise("PairingJob")
    first, then = crew.work_after(lot("a", "", ""), then=lot("b", "", "last"))
    assert verdicts(first.result()) == {"a0": "ok", "a1": "ok"}
    assert verdicts(then.result()) == {"b0": "ok", "b1": "ok"}
    assert len(children(first.result(), then.result())) == 1
    taken = first.result().index(AllTaken())
    assert first.result()[taken + 1 :].count(Begun("a1")) == 1


def test_poison_of_one_condemns_no_item_of_another(crew: Crew) -> None:
    crew.supervise("FaultyJob", ahead=3)
    futures = [crew.work(lot("a", "", "segfault")), crew.work(lot("b", "", "exception", ""))]
    first, then = (future.result() for future in futures)
    assert verdicts(first) == {"a0": "ok", "a1": "crashed"}
    assert verdicts(then) == {"b0": "ok", "b1": "failed", "b2": "ok"}
    for name, reports in (("a", first), ("b", then)):
        suspects = [each.item_ids for each in reports if isinstance(each, Setback)]
        assert suspects
        assert all(item.startswith(name) for items in suspects for item in items)


def test_a_child_that_others_kill_says_nothing_of_any_item(crew: Crew) -> None:
    crew.supervise("PairingJob")
    first, then = crew.work_after(lot("a", "killed once"), then=lot("b", "last"))
    assert verdicts(first.result()) == {"a0": "ok"}
    assert verdicts(then.result()) == {"b0": "ok"}


def test_what_the_environment_does_is_told_to_all_and_the_next_go_on(crew: Crew) -> None:
    crew.supervise("PairingJob")
    for future in crew.work_after(lot("a", "environment"), then=lot("b", "", "last")):
        with pytest.raises(EnvironmentFault, match="the network is gone"):
            future.result()
    assert verdicts(crew.work(lot("c", "last")).result()) == {"c0": "ok"}


def test_one_who_lost_interest_stops_no_other(crew: Crew) -> None:
    crew.supervise("FaultyJob")
    work = crew.supervisor.work(lot("a", "", "", ""))
    assert next(work) == Begun("a0")
    other = crew.work(lot("b", ""))
    work.close()
    assert verdicts(other.result()) == {"b0": "ok"}


def test_its_child_ends_when_it_is_closed(crew: Crew) -> None:
    crew.supervise("FaultyJob")
    (pid,) = children(crew.work(lot("a", "")).result())
    crew.supervisor.close()
    wait_until(lambda: not is_alive(pid))
