"""RTMO's published weights: pulled from a zip file as it is laid out, and run by name."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from web_server import WebServer, running

from posemill.errors import WeightsUnavailable
from posemill.models.estimators.base import EstimatorOptions
from posemill.models.estimators.onnx import published as module
from posemill.models.estimators.onnx.estimator import create_rtmo
from posemill.models.estimators.weights.published import PublishedWeights, WebFile
from posemill.models.estimators.weights.pull import pull_weights

pytest.importorskip("onnx", reason="builds ONNX files")
pytest.importorskip("onnxruntime", reason="runs them")

from onnx_networks import rtmo, saved


def test_every_size_is_there_and_one_is_taken_by_itself() -> None:
    assert [weights.name for weights in module.PUBLISHED] == [
        "rtmo-t",
        "rtmo-s",
        "rtmo-m",
        "rtmo-l",
    ]
    assert [weights.name for weights in module.PUBLISHED if weights.default] == ["rtmo-m"]


def served_as_published(web: WebServer, original: PublishedWeights, folder: Path) -> WebFile:
    """A zip file with the network below dated folders, among files that tell of its export."""
    assert isinstance(original.source, WebFile)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        inside = f"20231231/rtmo_onnx/{Path(original.source.url).stem}"
        archive.write(saved(rtmo(), folder / "net.onnx"), f"{inside}/end2end.onnx")
        for other in ("deploy.json", "detail.json", "pipeline.json"):
            archive.writestr(f"{inside}/{other}", "{}")
    return WebFile(web.put("/rtmo.zip", content.getvalue()))


def test_a_pulled_network_runs_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    small = module.PUBLISHED[1]
    with running() as web:
        pull_weights(replace(small, source=served_as_published(web, small, tmp_path)))
    estimator = create_rtmo(EstimatorOptions(variant="rtmo-s"))
    [result] = estimator.results([np.full((64, 96, 3), 255, np.uint8)])
    assert len(result.persons.score) == 1
    with pytest.raises(WeightsUnavailable, match="posemill models pull rtmo"):
        create_rtmo(EstimatorOptions())
