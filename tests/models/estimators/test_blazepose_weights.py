"""Weights: found, checked, pulled at once or not at all; no network is used here."""

import hashlib
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from posemill.cache_folder import cache_folder
from posemill.errors import EnvironmentFault, WeightsUnavailable
from posemill.models.estimators.blazepose import weights
from posemill.models.estimators.blazepose.weights import (
    BLAZEPOSE_FILES,
    FileState,
    ModelFile,
    blazepose_folder,
    download_wheel,
    extract_wheel,
    find_blazepose,
    model_inventory,
    pull_blazepose,
)

CONTENT = {"detector.tflite": b"detector", "landmarks.tflite": b"landmarks"}
FILES = tuple(
    ModelFile(f"networks/{name}", hashlib.sha256(content).hexdigest())
    for name, content in CONTENT.items()
)


def make_wheel(path, content=CONTENT, license_text="Apache"):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(f"networks/{name}", data)
        if license_text is not None:
            archive.writestr(weights.LICENSE_MEMBER, license_text)
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def small_files(monkeypatch):
    """Two tiny networks in place of the real ones."""
    monkeypatch.setattr(weights, "BLAZEPOSE_FILES", FILES)
    monkeypatch.setattr(weights, "DETECTOR", FILES[0])
    monkeypatch.setattr(weights, "LANDMARKS", FILES[1])


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("POSEMILL_CACHE")
    assert cache_folder() == tmp_path / "xdg" / "posemill"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "posemill"


def test_absent_weights_say_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path))
    with pytest.raises(WeightsUnavailable) as caught:
        find_blazepose()
    message = str(caught.value)
    assert str(tmp_path) in message
    assert "pose_detection.tflite" in message
    for remedy in ("posemill models pull blazepose", "--pull", "--weights DIR"):
        assert remedy in message


def test_a_weights_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(WeightsUnavailable, match=r"absent is not a folder.*pose_landmark_full"):
        find_blazepose(tmp_path / "absent")


def test_weights_with_another_hash_are_refused(tmp_path):
    for file in BLAZEPOSE_FILES:
        (tmp_path / file.name).write_bytes(b"something else")
    wrong = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(WeightsUnavailable, match=rf"14 bytes.*{wrong}, expected 9ba9dd3d"):
        find_blazepose(tmp_path)


@pytest.mark.usefixtures("small_files")
def test_a_local_folder_is_read_and_checked(tmp_path):
    for name, content in CONTENT.items():
        (tmp_path / name).write_bytes(content)
    found = find_blazepose(tmp_path)
    assert (found.folder, found.detector, found.landmarks) == (tmp_path, b"detector", b"landmarks")


def test_extracting_leaves_the_files_and_the_licence(tmp_path):
    wheel = make_wheel(tmp_path / "a.whl")
    (tmp_path / "out").mkdir()
    extract_wheel(wheel, tmp_path / "out", FILES)
    assert names(tmp_path / "out") == ["LICENSE", "detector.tflite", "landmarks.tflite"]
    assert (tmp_path / "out" / "landmarks.tflite").read_bytes() == b"landmarks"


@pytest.mark.parametrize(
    ("content", "license_text", "complaint"),
    [
        ({**CONTENT, "landmarks.tflite": b"poisoned"}, "Apache", "sha256"),
        ({"detector.tflite": b"detector"}, "Apache", r"networks/landmarks\.tflite"),
        (CONTENT, None, "LICENSE"),
    ],
)
def test_a_bad_wheel_changes_nothing(tmp_path, content, license_text, complaint):
    out = tmp_path / "out"
    out.mkdir()
    (out / "detector.tflite").write_bytes(b"old")
    wheel = make_wheel(tmp_path / "a.whl", content, license_text)
    with pytest.raises(WeightsUnavailable, match=complaint):
        extract_wheel(wheel, out, FILES)
    assert names(out) == ["detector.tflite"]
    assert (out / "detector.tflite").read_bytes() == b"old"


def test_a_wheel_that_is_no_zip_file_is_named(tmp_path):
    (tmp_path / "a.whl").write_bytes(b"<html>log in first</html>")
    with pytest.raises(WeightsUnavailable, match=r"a\.whl is not the wheel.*expected mediapipe"):
        extract_wheel(tmp_path / "a.whl", tmp_path, FILES)


@pytest.mark.usefixtures("small_files")
def test_pulling_fills_the_cache_once(tmp_path):
    downloads = []

    def download(folder):
        downloads.append(folder)
        return make_wheel(folder / "a.whl")

    monkey = tmp_path / "cache"
    assert pull_blazepose(monkey, download) == blazepose_folder(monkey)
    assert names(blazepose_folder(monkey)) == ["LICENSE", "detector.tflite", "landmarks.tflite"]
    pull_blazepose(monkey, download)
    assert len(downloads) == 1
    assert not downloads[0].exists()


@pytest.mark.usefixtures("small_files")
def test_pulling_mends_a_damaged_file(tmp_path):
    pull_blazepose(tmp_path, lambda folder: make_wheel(folder / "a.whl"))
    damaged = blazepose_folder(tmp_path) / "landmarks.tflite"
    damaged.write_bytes(b"land")
    assert [entry.state for entry in model_inventory(tmp_path)] == [
        FileState.PRESENT,
        FileState.DAMAGED,
    ]
    pull_blazepose(tmp_path, lambda folder: make_wheel(folder / "a.whl"))
    assert damaged.read_bytes() == b"landmarks"


@pytest.mark.usefixtures("small_files")
def test_pulls_side_by_side_do_not_disturb_each_other(tmp_path):
    together = threading.Barrier(4)

    def download(folder):
        wheel = make_wheel(folder / "a.whl")
        together.wait(timeout=20)
        return wheel

    threads = [threading.Thread(target=pull_blazepose, args=(tmp_path, download)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(entry.state is FileState.PRESENT for entry in model_inventory(tmp_path))
    assert names(blazepose_folder(tmp_path)) == ["LICENSE", "detector.tflite", "landmarks.tflite"]


@pytest.mark.usefixtures("small_files")
def test_a_failed_download_leaves_no_files_behind(tmp_path):
    def download(folder):
        (folder / "half.whl").write_bytes(b"PK")
        raise WeightsUnavailable("the network is down")

    with pytest.raises(WeightsUnavailable, match="network is down"):
        pull_blazepose(tmp_path, download)
    assert names(blazepose_folder(tmp_path)) == []


def test_a_cache_that_cannot_be_written_is_the_environments_fault(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentFault, match=r"cannot be kept in .*point POSEMILL_CACHE"):
        pull_blazepose(tmp_path / "file", lambda folder: make_wheel(folder / "a.whl"))


@pytest.mark.usefixtures("small_files")
def test_the_inventory_of_an_empty_cache(tmp_path):
    inventory = model_inventory(tmp_path)
    assert [(entry.estimator, entry.path.name) for entry in inventory] == [
        ("blazepose", "detector.tflite"),
        ("blazepose", "landmarks.tflite"),
    ]
    assert {entry.state for entry in inventory} == {FileState.ABSENT}


def test_without_a_network_pips_last_line_is_shown(monkeypatch, tmp_path):
    def offline(command, **options):
        assert command[:4] == [sys.executable, "-m", "pip", "download"]
        assert "--require-hashes" in command
        requirements = Path(command[command.index("-r") + 1]).read_text()
        assert requirements.startswith("mediapipe==0.10.21 --hash=sha256:05dc4a9e")
        stderr = "WARNING: Retrying\nERROR: No matching distribution found for mediapipe\n\n"
        return subprocess.CompletedProcess(command, 1, stdout="", stderr=stderr)

    monkeypatch.setattr(subprocess, "run", offline)
    with pytest.raises(WeightsUnavailable) as caught:
        download_wheel(tmp_path)
    message = str(caught.value)
    assert "ERROR: No matching distribution found for mediapipe;" in message
    assert "Retrying" not in message
    assert "--weights DIR" in message


def test_the_real_pip_is_asked_and_its_refusal_shown(monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(WeightsUnavailable, match=r"ERROR: No matching distribution.*mediapipe"):
        download_wheel(tmp_path)
