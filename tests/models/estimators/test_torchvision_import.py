"""torchvision beside a torch that its operators are not for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from posemill.errors import MissingDependency
from posemill.models.estimators import torchvision_import
from posemill.models.estimators.torchvision_import import import_torchvision

pytest.importorskip("torch")

IMPORT = (
    "from posemill.models.estimators.torchvision_import import import_torchvision\n"
    "module = import_torchvision('the test', 'the command')\n"
)
# As torchvision's own import, which adds to operators that its library should have declared.
NEEDY = "import torch\n@torch.library.register_fake('torchvision::nms')\ndef nms(*_): ...\n"


def run(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = f"import sys; sys.path.insert(0, {str(folder)!r})\n{program}"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


def fake(folder: Path, content: str) -> None:
    (folder / "torchvision").mkdir()
    (folder / "torchvision" / "__init__.py").write_text(content)


def test_operators_are_declared_where_the_import_wants_them(tmp_path: Path) -> None:
    fake(tmp_path, f"{NEEDY}done = True\n")
    finished = run(f"{IMPORT}print(module.done, module.__file__)", tmp_path)
    assert finished.stdout.split() == [
        "True",
        str(tmp_path / "torchvision" / "__init__.py"),
    ], finished.stderr


def test_another_failure_is_told(tmp_path: Path) -> None:
    fake(tmp_path, "raise RuntimeError('no such kernel')\n")
    (tmp_path / "torchvision-9.9.dist-info").mkdir()
    (tmp_path / "torchvision-9.9.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: torchvision\nVersion: 9.9\n"
    )
    finished = run(IMPORT, tmp_path)
    assert finished.returncode == 1
    assert "InputError: the test needs a torchvision that fits torch" in finished.stderr
    assert "got torchvision 9.9, whose import fails: no such kernel" in finished.stderr
    assert finished.stderr.strip().endswith("the command")


def test_where_it_is_not_installed_the_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision_import, "find_spec", lambda _: None)
    with pytest.raises(MissingDependency, match=r"nobody needs .*'torchvision'.*: pip this"):
        import_torchvision("nobody", "pip this")


def test_the_one_that_is_installed_has_its_networks() -> None:
    if torchvision_import.find_spec("torchvision") is None:
        pytest.skip("torchvision is not installed")
    models = import_torchvision("the test", "the command").models
    assert callable(models.shufflenet_v2_x1_0)
