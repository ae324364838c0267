import pytest
from display_song import make_song


@pytest.fixture
def song():
    return make_song()
