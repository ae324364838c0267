"""A drummer for the reader's own song: a MIDI file is uploaded, and the same file with drums is offered.

With a kernel, ``drumlib.music`` reads the upload, which may be hostile. A page without a kernel cannot run a network;
it offers the songs of the songbook instead, and says so.
"""

import base64
import gzip
import html
import re
import warnings
from functools import cached_property
from pathlib import Path, PurePath

import numpy as np

from drumlib.display import sound
from drumlib.display.assets import assets, audio_element, filled, safe_json
from drumlib.display.excerpt import chorus_of, some_bars, steps_of
from drumlib.display.player import Player
from drumlib.display.widgets import Knob, Stage, Take
from drumlib.display.widgets.live import error_html, show
from drumlib.display.widgets.notebook import mimebundle
from drumlib.drummer import DrummerWarning, accompany
from drumlib.inference.presets import DEFAULT_PRESET
from drumlib.music import Song, groove_of, song_from_bytes, song_to_bytes, songbook, without_drums
from drumlib.music.midi import MAX_BYTES, MidiError, clean_text

DRUMMERS = {
    "default": (DEFAULT_PRESET, {"preset": DEFAULT_PRESET}),
    "thesis": ("the thesis's network", {"preset": "thesis"}),
    "sampled": ("the thesis's network, hits sampled", {"preset": "thesis", "temperature": 1.0, "seed": 1}),
}
"""The drummers of the page: the text of each, and the options of ``accompany``. The page holds all their songs."""

BARS = 2
"""Bars of each song in the page."""

KBPS = 40
"""Bit rate of the page's bands, in kilobits per second; there are eight of them."""

PLAYER_BARS = 16
"""Bars of an uploaded song in the player, at most."""


def your_song() -> "YourSong":
    """Upload a song, choose a drummer, listen, download. Show it as the last line of a notebook's cell."""
    return YourSong()


class YourSong:
    """The component that ``your_song`` returns.

    Attributes
    ----------
    stages : dict of Stage
        For the page: a stage for each song of the songbook, with its drummers.
    files : dict of bytes
        For the page: the whole song with drums as a MIDI file, by (song, drummer).
    html : str
        The whole component, for a page.
    """

    @cached_property
    def songs(self) -> dict[tuple[str, str], Song]:
        """The songs of the songbook with each drummer, by (song, drummer)."""
        bands = {name: without_drums(songbook.song(name)) for name in songbook.names()}
        return {
            (name, drummer): accompany(band, **options)
            for name, band in bands.items()
            for drummer, (_, options) in DRUMMERS.items()
        }

    @cached_property
    def files(self) -> dict[tuple[str, str], bytes]:
        return {key: song_to_bytes(song) for key, song in self.songs.items()}

    @cached_property
    def stages(self) -> dict[str, Stage]:
        return {name: self._stage(name) for name in songbook.names()}

    def _stage(self, name: str) -> Stage:
        start = chorus_of(name)

        def play(drummer: str) -> Take:
            song = self.songs[name, drummer]
            hits = int(groove_of(song).hits.sum())
            groove = groove_of(song)[steps_of(song, start, BARS)]
            text = f"{BARS} bars of {len(song.bars)}; {hits:,} hits in the whole song"
            return Take(groove, text)

        song = songbook.song(name)
        knob = Knob("drummer", "Drummer", tuple(DRUMMERS), texts=[text for text, _ in DRUMMERS.values()])
        stems = {"band": some_bars(song, start, BARS)}
        stage = Stage(f"{song.name} ({name})", (knob,), play, stems=stems, start_bar=start)
        seconds = sum(bar.end - bar.tick for bar in song.bars[start : start + BARS]) / song.ticks_per_beat
        seconds *= song.tempos[0].microseconds / 1e6
        stage.audio = {"band": looped(sound.render(stage.stems["band"]), seconds)}
        return stage

    @cached_property
    def html(self) -> str:
        pages = [smaller(stage) for stage in self.stages.values()]
        songs = [
            {
                "page": without_common(page) if i else "",  # the first is in the page itself
                "files": [packed(self.files[name, drummer]) for drummer in DRUMMERS],
                "name": file_name(name),
            }
            for i, (name, page) in enumerate(zip(self.stages, pages, strict=True))
        ]
        options = "".join(
            f'<option value="{i}">{html.escape(stage.title)}</option>' for i, stage in enumerate(self.stages.values())
        )
        _, page = assets("your_song", Path(__file__).parent)
        return filled(page, {"options": options, "first": pages[0], "data": safe_json(songs)})

    def live(self):
        """The same with a kernel: an ipywidgets box that takes any MIDI file."""
        return upload_box()

    def _repr_html_(self) -> str:
        return self.html

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return mimebundle(self)

    def __repr__(self) -> str:
        return "your_song()"


# With a kernel


def uploaded(value) -> tuple[str, bytes] | None:
    """The name and the bytes of the newest file in a FileUpload's value; None if there is none.

    In ipywidgets 8 the value is a tuple of dictionaries, in 7 a dictionary with the files' names as keys.
    """
    if not value:
        return None
    if isinstance(value, dict):
        name, file = list(value.items())[-1]
        name = file.get("metadata", {}).get("name", name)
    else:
        file = value[-1]
        name = file.get("name", "")
    return str(name), bytes(file["content"])


def song_of_upload(name: str, content: bytes) -> Song:
    """The song of an uploaded file. Raises MidiError with a message for the reader."""
    if len(content) > MAX_BYTES:
        raise MidiError(f"the file has {len(content) / 1e6:.1f} MB; at most {MAX_BYTES / 1e6:.0f} MB can be read")
    return song_from_bytes(content, clean_text(PurePath(name.replace("\\", "/")).stem) or "your song")


def drummed(song: Song, **options) -> tuple[Song, list[str]]:
    """The song with drums, and the warnings about it. Options as for ``accompany``."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DrummerWarning)
        result = accompany(song, **options)
    return result, [str(warning.message) for warning in caught if issubclass(warning.category, DrummerWarning)]


def answer(name: str, content: bytes, start_bar: int = 0, **options) -> str:
    """The output for a file, as HTML: the download, the warnings and a player; or the error."""
    try:
        song, remarks = drummed(song_of_upload(name, content), **options)
        notes = "".join(f"<li>{html.escape(remark)}</li>" for remark in remarks)
        page = f"<p>{download_link(song_to_bytes(song), name)}</p>" + (f"<ul>{notes}</ul>" if notes else "")
    except (ValueError, MemoryError) as error:  # MidiError and SongError are ValueErrors
        return error_html(error)
    try:
        start = min(max(start_bar, 0), len(song.bars) - 1)
        bars = min(PLAYER_BARS, len(song.bars) - start)
        return page + Player(song, start_bar=start, bars=bars).html
    except Exception as error:  # the download works without sound
        return page + f"<p>It cannot be heard here: {html.escape(str(error))}</p>"


def download_link(content: bytes, name: str) -> str:
    """A link with the whole file in it and a safe name."""
    text = base64.b64encode(content).decode("ascii")
    safe = html.escape(file_name(name))
    return f'<a download="{safe}" href="data:audio/midi;base64,{text}">Download {safe}</a>'


def file_name(name: str) -> str:
    """A name for the file with drums: letters, digits, spaces and dashes of the old one, 60 at most."""
    stem = PurePath(name.replace("\\", "/")).stem
    return (re.sub(r"[^\w -]+", "_", stem).strip(" _")[:60] or "song") + " with drums.mid"


UPLOADED = "uploaded"
"""The choice of the uploaded file, beside the names of the songbook."""


def upload_box():
    """Widgets: a song of the songbook or an upload, the options of ``accompany``, and the output."""
    import ipywidgets

    wide = {"style": {"description_width": "8em"}, "layout": ipywidgets.Layout(width="min(30em, 98%)")}
    songs = [(f"{songbook.song(name).name} ({name})", name) for name in songbook.names()]
    choice = ipywidgets.Dropdown(
        options=[*songs, ("your own, uploaded below", UPLOADED)], value=songs[0][1], description="Song", **wide
    )
    upload = ipywidgets.FileUpload(accept=".mid,.midi", multiple=False, description="Your MIDI file")
    preset = ipywidgets.Dropdown(
        options=[DEFAULT_PRESET, "thesis"], value=DEFAULT_PRESET, description="Drummer", **wide
    )
    temperature = ipywidgets.SelectionSlider(
        options=[("none: threshold", 0.0), ("0.5", 0.5), ("1", 1.0), ("1.5", 1.5)],
        value=0.0,  # None means "nothing chosen" to ipywidgets
        description="Temperature",
        continuous_update=False,
        **wide,
    )
    seed = ipywidgets.BoundedIntText(value=0, min=0, max=9999, description="Seed", **wide)
    bar = ipywidgets.BoundedIntText(value=1, min=1, max=10_000, description="Hear from bar", **wide)
    go = ipywidgets.Button(description="Play drums to it")
    output = ipywidgets.Output()

    def play(_=None):
        try:
            file = uploaded(upload.value) if choice.value == UPLOADED else songbook_file(choice.value)
            if file is None:
                return show(output, "<p>Choose a MIDI file first.</p>")
            options = {"preset": preset.value, "temperature": temperature.value or None, "seed": seed.value}
            show(output, answer(*file, start_bar=bar.value - 1, **options))
        except Exception as error:  # of any kind: the widgets must go on working
            show(output, error_html(error))

    def take(change):
        if not uploaded(change["new"]):  # the upload was removed
            return
        if choice.value == UPLOADED:
            return play()
        choice.value = UPLOADED  # plays

    choice.observe(play, "value")
    upload.observe(take, "value")
    go.on_click(play)
    play()
    return ipywidgets.VBox([choice, upload, preset, temperature, seed, bar, go, output])


def songbook_file(name: str) -> tuple[str, bytes]:
    """A song of the songbook without its drums, in the form of an upload."""
    return f"{name}.mid", song_to_bytes(without_drums(songbook.song(name)))


# Without one


def looped(audio: np.ndarray, seconds: float) -> np.ndarray:
    """The audio, cut to the length of its bars and faded out, so that a loop does not click."""
    audio = audio[: round(seconds * sound.SAMPLE_RATE)].copy()
    fade = min(len(audio), sound.SAMPLE_RATE // 50)
    audio[len(audio) - fade :] *= 1 - (1 + np.arange(fade, dtype="float32")) / fade
    return audio


def smaller(stage: Stage) -> str:
    """The stage's HTML with the band at fewer kilobits a second."""
    audio = audio_element("band", stage.audio["band"], KBPS)
    return re.sub(r"<audio .*?</audio>", lambda _: audio, stage.html)


def without_common(page: str) -> str:
    """A stage's HTML without what all stages have in common: its style, the drums' sound, its scripts."""
    page = re.sub(r"<style>.*?</style>", "<style></style>", page, flags=re.DOTALL)
    page = re.sub(r'(<script type="text/plain" class="dls-kit">).*?(</script>)', r"\1\2", page, flags=re.DOTALL)
    return re.sub(r'<script(?: data-drumlib="\w+")?>.*?</script>', "", page, flags=re.DOTALL)


def packed(content: bytes) -> str:
    """A MIDI file as the page carries it: gzip, base64."""
    return base64.b64encode(gzip.compress(content, mtime=0)).decode("ascii")
