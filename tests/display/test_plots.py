import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402

from drumlib.display import plot_groove, plot_probabilities, plot_roll  # noqa: E402
from drumlib.music.grid import Groove, groove_of, piano_roll  # noqa: E402
from drumlib.music.kit import DRUMS  # noqa: E402


@pytest.fixture(autouse=True)
def tidy():
    before = dict(matplotlib.rcParams)
    yield
    assert dict(matplotlib.rcParams) == before
    pyplot.close("all")


def rows(ax) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def bars(ax) -> list[str]:
    return [label.get_text() for label in ax.get_xticklabels()]


def test_a_hit_stands_where_and_as_it_is_played():
    hits, velocities, offsets = np.zeros((3, 32, 9))
    hits[20, 1], velocities[20, 1], offsets[20, 1] = 1, 0.5, -0.25
    ax = plot_groove(Groove(hits, velocities, offsets), start_bar=1, bars=1)
    (bar,) = ax.patches
    assert bar.get_x() == pytest.approx(3.75)
    assert bar.get_y() + bar.get_height() / 2 == pytest.approx(1)
    assert tuple(rows(ax)) == DRUMS and bars(ax) == ["bar 2"]


def test_louder_is_taller_and_of_another_colour():
    hits = np.zeros((16, 9))
    hits[[0, 4], 0] = 1
    velocities = hits.copy()
    velocities[0, 0] = 0.2
    soft, loud = plot_groove(Groove(hits, velocities, hits * 0)).patches
    assert soft.get_height() < loud.get_height()
    assert soft.get_facecolor() != loud.get_facecolor()


def test_a_song(song):
    ax = plot_groove(groove_of(song), bars=None)
    assert len(ax.patches) == 48 and bars(ax) == ["bar 1", "bar 2", "bar 3", "bar 4"]
    with pytest.raises(ValueError, match="no bars"):
        plot_groove(groove_of(song), start_bar=4)


def test_an_empty_groove_is_drawn_empty():
    assert len(plot_groove(Groove(*np.zeros((3, 16, 9)))).patches) == 0


def test_roll(song):
    ax = plot_roll(piano_roll(song, "piano"), start_bar=1, bars=2)
    low, high = ax.get_ylim()
    assert low < 60 and high > 67 and bars(ax) == ["bar 2", "bar 3"] and "C4" in rows(ax)
    shown = ax.images[0].get_array()
    assert shown.shape == (128, 32) and shown[:, 0].nonzero()[0].tolist() == [60, 64, 67]
    plot_roll(np.zeros((16, 128)))
    for bad in (np.zeros((16, 9)), np.zeros(128)):
        with pytest.raises(ValueError, match="shape"):
            plot_roll(bad)
    with pytest.raises(ValueError, match="no bars"):
        plot_roll(np.zeros((16, 128)), start_bar=1)


def test_probabilities():
    p = np.random.default_rng(0).random((32, 9))
    ax = plot_probabilities(p, start_bar=4)
    assert np.array_equal(ax.images[0].get_array(), p.T)
    assert tuple(rows(ax)) == DRUMS and bars(ax) == ["bar 5", "bar 6"]
    with pytest.raises(ValueError, match="logits"):
        plot_probabilities(p * 4 - 2)
    with pytest.raises(ValueError, match="shape"):
        plot_probabilities(p[:, :8])


def test_they_draw_where_they_are_told(song):
    figure, (first, second, third) = pyplot.subplots(3)
    assert plot_groove(groove_of(song), ax=first) is first
    assert plot_roll(piano_roll(song, "bass"), ax=second) is second
    assert plot_probabilities(groove_of(song).hits, ax=third) is third
    assert pyplot.get_fignums() == [figure.number]


def test_figures_let_the_page_through(song):
    ax = plot_groove(groove_of(song))
    assert ax.patch.get_alpha() == 0 and ax.figure.patch.get_alpha() == 0
