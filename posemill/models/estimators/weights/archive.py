"""Takes single files out of a zip file, such as a wheel."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from fnmatch import fnmatchcase
from pathlib import Path

from posemill.errors import WeightsUnavailable


def extract_member(archive: Path, pattern: str, target: Path) -> None:
    """Write the one member whose path matches `pattern` (`*` for any text) to `target`.

    Raises:
        WeightsUnavailable: no zip file, a damaged one, or not exactly one such member.
        OSError: the file cannot be written.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            names = [name for name in opened.namelist() if fnmatchcase(name, pattern)]
            if len(names) != 1:
                raise WeightsUnavailable(
                    f"{archive.name} has {len(names)} members {pattern}, expected one; it has: "
                    f"{', '.join(opened.namelist()[:20])}"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(names[0]) as member, target.open("xb") as file:
                shutil.copyfileobj(member, file, 1 << 20)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise WeightsUnavailable(
            f"{archive.name} is not the zip file that holds {pattern}: {error}; pull again"
        ) from error
