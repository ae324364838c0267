"""The Groove MIDI Dataset, where it is."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def groove_data(root) -> Path:
    """The Groove MIDI Dataset: its archive, or its folder. The environment's DRUMLIB_GROOVE says where it is."""
    default = root.parent / "shared" / "data" / "groove" / "groove-v1.0.0-midionly.zip"
    path = Path(os.environ.get("DRUMLIB_GROOVE") or default)
    if not path.exists():
        pytest.skip(f"the Groove MIDI Dataset was not found at {path} (set DRUMLIB_GROOVE to its archive or folder)")
    return path
