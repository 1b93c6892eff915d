"""What `--engine beam` takes with `--engine-option`, and refuses."""

from __future__ import annotations

import subprocess
import sys

import pytest

from posemill.errors import EnvironmentFault, InputError, MissingDependency
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.tasks import ShardTask, WorkerSpec

pytest.importorskip("apache_beam", reason="the extra beam is not installed")


def options(**parameters: str) -> dict[str, object]:
    from posemill.pipelines.engines.beam_options import BeamParameters

    parsed = BeamParameters.parse(parameters)
    return dict(parsed.pipeline_options().get_all_options(drop_default=True))


def test_options_of_beam_come_to_its_pipeline() -> None:
    assert options(
        runner="PortableRunner",
        job_endpoint="localhost:1",
        environment_type="EXTERNAL",
        job_server_timeout="7",
        streaming="True",
        save_main_session="false",
    ) == {
        "runner": "PortableRunner",
        "job_endpoint": "localhost:1",
        "environment_type": "EXTERNAL",
        "job_server_timeout": 7,
        "streaming": True,
    }


def test_those_of_which_there_may_be_many_are_given_with_commas() -> None:
    found = options(
        runner="DataflowRunner",
        experiments="use_runner_v2,no_use_multiple_sdk_containers",
        dataflow_service_options="worker_accelerator=type:nvidia-l4;count:1;install-nvidia-driver",
    )
    assert found["experiments"] == ["use_runner_v2", "no_use_multiple_sdk_containers"]
    assert found["dataflow_service_options"] == [
        "worker_accelerator=type:nvidia-l4;count:1;install-nvidia-driver"
    ]


def test_no_option_is_taken_from_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["posemill", "--streaming"])
    assert options() == {}


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"runner": "PortableRunner", "job_endpont": "x"}, "no option job_endpont, nor has Beam"),
        ({"job_endpoint": "x:1"}, "job_endpoint: of a Beam runner that is not named"),
        ({"runner": "DirectRunner"}, "runner=DirectRunner: not run.*leave the option out"),
        ({"runner": "PortableRunner", "streaming": "maybe"}, "streaming=maybe: expected true"),
        (
            {"runner": "PortableRunner", "job_server_timeout": "soon"},
            "job_server_timeout=soon.*int",
        ),
        ({"help": "true"}, "no option help"),
        ({"runner": "PortableRunner"}, "needs a job server; name it with .*job_endpoint=HOST"),
    ],
)
def test_what_cannot_be_is_refused_by_name(parameters: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        create_engine("beam", EngineOptions(parameters=parameters))


def test_more_gpus_than_this_machine_has_are_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(InputError, match="workers 2, gpus_per_worker 1"):
        create_engine("beam", EngineOptions(workers=2, gpus_per_worker=1))


def test_a_job_server_that_is_not_there_is_told_before_anything_is_written() -> None:
    engine = create_engine(
        "beam",
        EngineOptions(parameters={"runner": "PortableRunner", "job_endpoint": "localhost:1"}),
    )
    with pytest.raises(EnvironmentFault, match=r"no Beam job server answers at .*:1 "):
        engine.run([ShardTask("test", 0, 1, 1.0)], WorkerSpec("a:b"), print, "/nowhere")


def test_a_runner_that_beam_does_not_know_is_refused() -> None:
    engine = create_engine("beam", EngineOptions(parameters={"runner": "NopeRunner"}))
    with pytest.raises(InputError, match=r"runner=NopeRunner: .*--engine-option"):
        engine.run([ShardTask("test", 0, 1, 1.0)], WorkerSpec("a:b"), print, "/nowhere")


def test_without_the_package_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "posemill.pipelines.engines.beam", raising=False)
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(MissingDependency, match=r"--engine beam needs.*'posemill\[beam"):
        create_engine("beam", EngineOptions())


def test_beam_is_not_imported_for_another_engine_nor_tells_what_it_misses() -> None:
    script = """
import sys
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions
create_engine("local", EngineOptions())
assert "apache_beam" not in sys.modules
create_engine("beam", EngineOptions())
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert (told.stdout, told.stderr) == (b"", b"")
