"""The template for Dataflow: the command takes it, and the engine and Beam know its options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dockerfiles
import pytest
import typer.main

from posemill.cli import app
from posemill.cli.options import key_values
from posemill.errors import InputError
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions

pytest.importorskip("apache_beam")

TEMPLATE = dockerfiles.ROOT / "docker" / "dataflow" / "extract.yaml"


@pytest.fixture
def understood(tmp_path: Path) -> dict[str, Any]:
    """What `posemill extract --config` makes of it; nothing is run."""
    group = typer.main.get_command(app)
    extract = group.commands["extract"]  # type: ignore[attr-defined]
    words = [str(tmp_path), "--out", "s3://bucket/poses.zarr", "--config", str(TEMPLATE)]
    return dict(extract.make_context("extract", words).params)


@pytest.fixture
def options(understood: dict[str, Any]) -> dict[str, str]:
    return key_values("--engine-option", understood["engine_option"])


def test_the_command_takes_the_template(understood: dict[str, Any]) -> None:
    assert (understood["engine"], understood["device"]) == ("beam", "cuda")
    assert understood["workers"] == 1  # all would share the machine's one GPU
    assert understood["start_timeout"] >= 1200  # machines are started first


def test_the_engine_takes_every_option(options: dict[str, str]) -> None:
    create_engine("beam", EngineOptions(parameters=options))


def test_the_engine_would_refuse_one_that_beam_does_not_know(options: dict[str, str]) -> None:
    with pytest.raises(InputError, match="machine_tpye"):
        create_engine("beam", EngineOptions(parameters={**options, "machine_tpye": "n1"}))


def test_beam_understands_what_is_meant(options: dict[str, str]) -> None:
    from apache_beam.options import pipeline_options as beam

    from posemill.pipelines.engines.beam_options import BeamParameters

    understood = BeamParameters.parse(options).pipeline_options()
    cloud = understood.view_as(beam.GoogleCloudOptions)
    assert cloud.dataflow_service_options == [
        "worker_accelerator=type:nvidia-l4;count:1;install-nvidia-driver"
    ]
    workers = understood.view_as(beam.WorkerOptions)
    assert workers.machine_type == "g2-standard-16"
    assert (workers.num_workers, workers.disk_size_gb, workers.use_public_ips) == (1, 200, False)
    debug = understood.view_as(beam.DebugOptions)
    assert debug.experiments == ["no_use_multiple_sdk_containers"]
    assert debug.number_of_worker_harness_threads == 2


def test_the_image_is_the_gpu_image(options: dict[str, str]) -> None:
    name = options["sdk_container_image"].rpartition("/")[2]
    assert name == f"posemill-gpu:{dockerfiles.setup_arguments()['version']}"
