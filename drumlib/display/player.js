// The player: a song as one or more stems that can be muted, with a drum roll.
// It needs no network and no kernel: its sound and its notes stand in its own HTML.
(function (drumlib) {
  "use strict";

  const LANE = 11; // pixels of a lane of the band
  const MUTE_FADE = 0.01; // seconds

  class Player {
    constructor(root) {
      const find = (selector) => root.querySelector(selector);
      this.root = root;
      this.song = JSON.parse(find(".dlp-data").textContent);
      this.seconds = this.song.seconds;
      this.playButton = find(".dlp-play");
      this.status = find(".dlp-status");
      this.stems = Array.from(root.querySelectorAll("audio[data-stem]"), (element) => {
        element.controls = false;
        element.hidden = true;
        return { name: element.getAttribute("data-stem"), element, muted: false, buffer: null, voice: null };
      });
      find(".dlp-ui").hidden = false;
      this.transport = new drumlib.Transport(this);
      this.roll = new drumlib.Roll(root, this.rollHost(find));
      find(".dlp-restart").addEventListener("click", () => this.transport.seek(0));
      for (const button of root.querySelectorAll(".dlp-mute")) button.addEventListener("click", () => this.mute(button));
      root.drumlib = this; // for tests, and for the curious
      this.roll.readColours();
    }

    rollHost(find) {
      const { song, transport } = this, hits = hitsOf(song.notes);
      return {
        data: song, beats: song.x, transport, hits: () => hits,
        name: "drumlib-summary", summary: find(".dlp-summary"), timeText: find(".dlp-time"),
        above: song.band.length ? song.band.length * LANE + 7 : 0,
        paintAbove: (shown, stepWidth) => this.paintBand(shown, stepWidth)
      };
    }

    load() {
      return Promise.all(this.stems.map(async (stem) => {
        if (stem.buffer) return;
        const { audio, rate } = this.song, text = drumlib.dom.audioBase64(stem.element);
        stem.buffer = drumlib.audio.makeBuffer(rate, await drumlib.audio.decode(text, rate, Math.round(audio * rate)));
      }));
    }

    begin(position) {
      const when = drumlib.audio.soon();
      for (const stem of this.stems) {
        stem.voice = drumlib.audio.startVoice(stem.buffer, when, position, { gain: stem.muted ? 0 : 1 });
      }
      return when;
    }

    silence() {
      for (const stem of this.stems) {
        drumlib.audio.stopVoice(stem.voice);
        stem.voice = null;
      }
    }

    tick() {
      this.roll.paint();
    }

    failed() {
      this.status.textContent = "This browser cannot play the sound here; try the plain player below.";
      for (const { element } of this.stems) {
        element.hidden = false;
        element.controls = true;
      }
    }

    mute(button) {
      const stem = this.stems.find(({ name }) => name === button.getAttribute("data-mutes"));
      stem.muted = !stem.muted;
      button.setAttribute("aria-pressed", String(stem.muted));
      if (stem.voice) drumlib.audio.setGain(stem.voice, stem.muted ? 0 : 1, undefined, MUTE_FADE);
    }

    paintBand(shown, stepWidth) { // a lane for each family of instruments; darker where more notes sound
      const { roll } = this, { pen } = roll;
      this.song.band.forEach(([name, counts], i) => {
        const y = roll.layout.top + i * LANE;
        roll.label(name, y + LANE / 2);
        pen.fillStyle = roll.colours.band;
        for (let x = Math.ceil(roll.page.from); x < shown; x++) {
          const notes = Number(counts[x]);
          if (!notes) continue;
          pen.globalAlpha = 0.3 + 0.7 * notes / 9;
          pen.fillRect(roll.place(x), y + 2, stepWidth + 0.3, LANE - 4);
        }
        pen.globalAlpha = 1;
      });
    }
  }

  // Four numbers for each hit: hundredths of a step from the first bar line, drum, velocity, hundredths of a step of offset.
  function hitsOf(notes) {
    const hits = [];
    for (let i = 0; i < notes.length; i += 4) {
      const offset = notes[i + 3] / 100;
      hits.push({ step: notes[i] / 100 - offset, offset, drum: notes[i + 1], velocity: notes[i + 2] });
    }
    return hits;
  }

  drumlib.components.player = (root) => new Player(root);
})(window.drumlib = window.drumlib || {});
