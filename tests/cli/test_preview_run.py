"""`posemill preview` of a run: what it needs is said in one line."""

import json
from pathlib import Path

import numpy as np
from attention_runs import make_run, make_store

from posemill.models.jmrn import JmrnModel
from posemill.pipelines.evaluations import attention_path


def test_a_run_is_drawn_on_the_store_that_it_was_evaluated_on(run, tmp_path: Path) -> None:
    valid_hw = np.array([24, 32], np.int32)
    store = make_store(tmp_path / "jmrn.zarr", "jmrn", {"canvas_hw": "24,32"}, valid_hw=valid_hw)
    looks = {"joints": np.full((2, 1, 18), 0.5, np.float32)}
    trained = make_run(tmp_path / "run", JmrnModel(width=4), store, looks)
    given = ("preview", trained, "--store", store.url, "-o", tmp_path / "pictures")
    status, out, _ = run(*given, "--limit", 1, "--json")
    (picture,) = json.loads(out)["pictures"]
    assert status == 0
    assert Path(picture).read_bytes().startswith(b"\x89PNG")
    status, _, err = run("preview", trained, "-o", tmp_path / "pictures")
    assert (status, err.count("\n")) == (2, 1)
    assert "give that as --store" in err
    status, _, err = run("preview", store.url, *given[2:])
    assert (status, err.count("\n")) == (2, 1)
    assert "holds features; leave it out" in err
    attention_path(trained, "test").unlink()
    status, _, err = run(*given)
    assert (status, err.count("\n")) == (2, 1)
    assert f"posemill evaluate {trained} STORE --subset test --attention` first" in err
