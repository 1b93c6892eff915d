"""Imports of packages that tell at once what other packages they miss, asked or not."""

from __future__ import annotations

import logging
import warnings
from importlib import import_module


def quiet_import(name: str) -> None:
    """Import a package; of what it says meanwhile only errors are shown."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import_module(name)
    finally:
        logging.disable(before)
