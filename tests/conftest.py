"""What several tests need."""

import os
from pathlib import Path

import hypothesis
import pytest

# A shared machine may pause a test for longer than any deadline.
hypothesis.settings.register_profile("project", deadline=None)
hypothesis.settings.load_profile("project")

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings; skips the test where it is absent."""
    folder = Path(os.environ.get("GESTURES_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("the recordings of real people are missing: name their folder in GESTURES_SHARED_DATA")
    return folder
