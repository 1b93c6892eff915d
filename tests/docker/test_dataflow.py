"""The template for Dataflow: the command takes it, and the installed Beam knows its options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dockerfiles
import pytest
import typer.main

from posemill.cli import app
from posemill.cli.options import key_values

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


def beam_options(options: dict[str, str]) -> dict[str, Any]:
    """As Beam's own parsers understand them; each must be one of theirs."""
    from apache_beam.options.pipeline_options import PipelineOptions

    flags = [
        f"--{name}" if text == "true" else f"--{name}={text}" for name, text in options.items()
    ]
    values: dict[str, Any] = {}
    for kind in PipelineOptions.__subclasses__():
        parser = _parser(kind)
        named = {text.lstrip("-") for action in parser._actions for text in action.option_strings}
        mine = [flag for flag in flags if flag[2:].partition("=")[0] in named]
        taken, rest = parser.parse_known_args(mine)
        assert rest == []
        values |= {name: getattr(taken, name, None) for name in named & options.keys()}
    return values


def _parser(kind: Any) -> Any:
    from apache_beam.options.pipeline_options import _BeamArgumentParser

    parser = _BeamArgumentParser(allow_abbrev=False)
    kind._add_argparse_args(parser)
    return parser


def test_the_command_takes_the_template(understood: dict[str, Any]) -> None:
    assert (understood["engine"], understood["device"]) == ("beam", "cuda")
    assert understood["workers"] == 1  # all would share the machine's one GPU


def test_beam_knows_every_option(options: dict[str, str]) -> None:
    assert beam_options(options).keys() == options.keys()


def test_an_option_that_beam_does_not_know_would_show(options: dict[str, str]) -> None:
    assert "machine_tpye" not in beam_options({**options, "machine_tpye": "g2-standard-16"})


def test_beam_understands_what_is_meant(options: dict[str, str]) -> None:
    values = beam_options(options)
    assert values["runner"] == "DataflowRunner"
    assert values["dataflow_service_options"] == [
        "worker_accelerator=type:nvidia-l4;count:1;install-nvidia-driver"
    ]
    assert values["experiments"] == ["no_use_multiple_sdk_containers"]
    assert values["number_of_worker_harness_threads"] == 2
    assert (values["num_workers"], values["disk_size_gb"]) == (1, 200)


def test_the_image_is_the_gpu_image(options: dict[str, str]) -> None:
    name = options["sdk_container_image"].rpartition("/")[2]
    version = dockerfiles.setup_arguments()["version"]
    assert name == f"posemill-gpu:{version}"
