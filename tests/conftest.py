"""Eight small fixture videos, their catalog, and their poses by `figure`: made once for all of the
processes that run tests; and which tests one process takes."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import s3_server
from chain import index, run_extract
from filelock import FileLock
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from posemill.pipelines.fixtures import FixtureParameters, write_fixtures

NUM_CLIPS = 8

# A shell's background job ignores Ctrl-C, and so would all that tests start and then interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Ray's libraries keep the mode of a process's first cluster: an embedded one, which wants a token
# unless told otherwise, would leave the process unable to work with those of tests, which do not.
os.environ["RAY_AUTH_MODE"] = "disabled"
# Ray puts a print of its own in the place of Python's, which tests of pickles name as a global.
os.environ["RAY_TQDM_PATCH_PRINT"] = "0"

# No test is timed: a kernel's first call compiles it, and machines are busy at times.
settings.register_profile("posemill", deadline=None)
settings.load_profile("posemill")


CLUSTERS = "tests/pipelines/engines/"


class ModulesInTurn(LoadScopeScheduling):  # type: ignore[misc]  (xdist tells no types of it)
    """A module's tests are taken by one process, and so are all that start clusters, one after the
    other: several clusters at once are more than two cores start in time."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return CLUSTERS if path.startswith(CLUSTERS) else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ModulesInTurn:
    return ModulesInTurn(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that no process is left alone with it."""
    items.sort(key=lambda item: not item.nodeid.startswith(CLUSTERS))


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A folder that the first process that asks for it fills, and the others find."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # of all processes of this run

    def made(name: str, fill: Callable[[Path], object]) -> Path:
        folder = root / "shared" / name
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not folder.with_suffix(".filled").exists():
                fill(folder)
                folder.with_suffix(".filled").touch()
        return folder

    return made


@pytest.fixture(scope="session")
def videos(shared_folder: Callable[..., Path]) -> Path:
    """A folder of six training and two test clips, of 36 to 40 frames. Never write to it."""
    parameters = FixtureParameters(num_clips=NUM_CLIPS, seed=5, max_frames=40)
    return (
        shared_folder("videos", lambda root: write_fixtures(root / "videos", parameters, workers=2))
        / "videos"
    )


@pytest.fixture(scope="session")
def catalog(shared_folder: Callable[..., Path], videos: Path) -> Path:
    return shared_folder("catalog", lambda root: index(videos, root / "catalog")) / "catalog"


@pytest.fixture(scope="session")
def poses(shared_folder: Callable[..., Path], catalog: Path) -> Path:
    """The pose store of all eight videos, in four shards of two. Never write to it."""
    out = "poses.zarr"
    return shared_folder("poses", lambda root: run_extract(catalog, root / out, workers=2)) / out


@pytest.fixture(scope="session")
def s3() -> Iterator[Mapping[str, str]]:
    """A running S3 server; the environment by which clients find it."""
    with s3_server.running() as environment:
        yield environment


@pytest.fixture
def bucket(s3: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """`s3://...` of a place without objects, that this process and its children find."""
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    return f"s3://{s3_server.BUCKET}/{uuid.uuid4().hex}"


@pytest.fixture(params=["disk", "s3"])
def place(request: pytest.FixtureRequest) -> str:
    """A place where stores can be made: a folder of its own, then a prefix of a bucket."""
    name = "tmp_path" if request.param == "disk" else "bucket"
    return str(request.getfixturevalue(name))
