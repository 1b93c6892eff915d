"""Processes that train together: what is shared, and environments that are not torchrun's."""

import pytest
import torch

from posemill.errors import InputError
from posemill.pipelines.training.meter import EpochTotals
from posemill.pipelines.training.processes import Processes, joined_processes

TORCHRUN = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nothing of torchrun's."""
    for name in TORCHRUN:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_one_process_needs_nothing(environment: pytest.MonkeyPatch) -> None:
    for told in (None, "1"):
        if told:
            environment.setenv("WORLD_SIZE", told)
        with joined_processes("cpu") as processes:
            assert processes == Processes(0, 1, torch.device("cpu"))
            processes.wait()
            totals = EpochTotals(1.0, 2.0, 3.0, 4.0, 5.0)
            assert processes.total(totals) is totals
            assert processes.from_first(torch.ones(2)).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("told", ["two", "0", "-1", "1.5", ""])
def test_a_number_of_processes_that_is_none_is_named(
    environment: pytest.MonkeyPatch, told: str
) -> None:
    environment.setenv("WORLD_SIZE", told)
    with (
        pytest.raises(InputError, match=f"WORLD_SIZE must be the number .*, got '{told}'"),
        joined_processes("cpu"),
    ):
        pass


def test_several_processes_without_torchrun_are_told_how_to_start(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("WORLD_SIZE", "2")
    environment.setenv("MASTER_ADDR", "localhost")
    with (
        pytest.raises(InputError, match=r"RANK, LOCAL_RANK, MASTER_PORT are not set; .*torchrun"),
        joined_processes("cpu"),
    ):
        pass
    for name in set(TORCHRUN) - {"WORLD_SIZE", "RANK"}:
        environment.setenv(name, "0")
    with (
        pytest.raises(InputError, match=r"train together, and RANK is not set"),
        joined_processes("cpu"),
    ):
        pass


def test_one_gpu_cannot_be_shared(environment: pytest.MonkeyPatch) -> None:
    for name in TORCHRUN:
        environment.setenv(name, "2")
    with (
        pytest.raises(InputError, match="2 processes cannot share the device cuda:0; give --dev"),
        joined_processes("cuda:0"),
    ):
        pass
