// The stage: takes that knobs choose, mixed in the page from hits and a sample of each drum.
// It needs no network and no kernel.
(function (drumlib) {
  "use strict";

  const PATIENCE = 1500; // milliseconds for which a live stage that was replaced plays on, until its successor takes over
  const LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"; // of a picture's cells
  const GRADIENT = [0, 0.25, 0.5, 0.75, 1];
  const { audio, dom, mix } = drumlib;

  drumlib.kits = drumlib.kits || {}; // by name: a promise of the drums' samples, decoded once for all stages of a page
  drumlib.liveStages = drumlib.liveStages || {}; // by title: the newest live stage, whose music the next one takes over

  async function decodeKit({ starts, lengths, gains, all }, text, rate) {
    const samples = await audio.decode(text, rate, all);
    return starts.map((start, i) => samples.slice(start, start + lengths[i]).map((sample) => sample * gains[i]));
  }

  function beatsOf(bars) { // the steps of all beats
    const beats = [];
    for (let bar = 0; bar + 1 < bars.length; bar++) for (let step = bars[bar]; step < bars[bar + 1]; step += 4) beats.push(step);
    return beats;
  }

  class Stage {
    constructor(root) {
      const find = (selector) => root.querySelector(selector);
      this.root = root;
      this.find = find;
      this.data = JSON.parse(find(".dls-data").textContent);
      this.seconds = this.data.seconds;
      this.playButton = find(".dls-play");
      this.loopButton = find(".dls-loop");
      this.status = find(".dls-status");
      this.knobs = Array.from(root.querySelectorAll(".dls-knob"));
      this.muteButtons = Array.from(root.querySelectorAll(".dls-mute"));
      this.stemElements = Array.from(root.querySelectorAll("audio[data-stem]"));
      this.kit = null; // samples of each drum, and of the loud snare
      this.stems = {}; // samples, by name
      this.muted = {}; // drums, stems
      this.voice = null;
      this.edited = null; // hits in place of the take's own
      this.shownBar = null; // the bar that the roll shows; null: the one that plays
      this.onPaint = null;
      this.looped = true;
      const kind = root.getAttribute("data-kind");
      this.liveName = this.knobs.length || kind !== "stage" ? null : root.getAttribute("aria-label");
      this.lostAt = null;
      this.reveal();
      this.transport = new drumlib.Transport(this);
      this.roll = new drumlib.Roll(root, this.rollHost());
      this.listen();
      root.drumlib = this; // for the sequencer, for tests, and for the curious
      this.choose();
      this.roll.readColours();
      if (this.liveName !== null) this.takeOver();
      if (kind === "sequencer") drumlib.makeSequencer(this);
    }

    reveal() {
      for (const element of this.stemElements) {
        element.controls = false;
        element.hidden = true;
      }
      this.find(".dls-noscript").hidden = true;
      this.find(".dls-ui").hidden = false;
      for (const knob of this.knobs) { // a browser that reloads a page may keep where its sliders were
        knob.value = knob.tagName === "INPUT" ? knob.getAttribute("value") : knob.querySelector("[selected]").value;
      }
    }

    listen() {
      const find = this.find;
      find(".dls-restart").addEventListener("click", () => this.transport.seek(0));
      this.loopButton.addEventListener("click", () => this.toggleLoop());
      for (const knob of this.knobs) {
        for (const name of ["input", "change"]) knob.addEventListener(name, () => this.turned());
        knob.addEventListener("keydown", (event) => event.stopPropagation());
      }
      for (const button of this.muteButtons) {
        button.addEventListener("click", () => {
          const name = button.getAttribute("data-mutes");
          this.muted[name] = !this.muted[name];
          this.showMutes();
          this.change();
        });
      }
    }

    // Takes

    get hits() {
      return this.take.hits;
    }

    settings() { // the number of the take that the knobs ask for
      return this.knobs.reduce((number, knob, i) => number * this.data.knobs[i] + Number(knob.value), 0);
    }

    turned() { // a list sends two events for one choice
      if (this.settings() === this.take.number) return;
      this.choose();
      this.change();
    }

    choose() {
      const number = this.settings(), [hits, caption, picture, stem] = this.data.takes[number];
      this.take = { number, hits: this.edited || drumlib.hits.unpack(this.data.hits[hits]), stem, picture: null };
      this.take.caption = this.data.captions[caption];
      if (picture >= 0) {
        const [rows, names, cells] = this.data.pictures[picture];
        this.take.picture = { rows, names, cells };
      }
      for (const knob of this.knobs) {
        if (knob.tagName !== "INPUT") continue;
        const text = JSON.parse(knob.getAttribute("data-texts"))[knob.value];
        knob.setAttribute("aria-valuetext", text);
        knob.parentNode.querySelector(".dls-value").textContent = text;
      }
      dom.setText(this.find(".dls-caption"), this.take.caption);
      this.find(".dls-scale").hidden = !this.take.picture;
      this.find(".dls-summary").textContent = this.summary();
    }

    summary() { // the roll in words, for screen readers
      const { caption, hits, picture } = this.take, parts = [`${this.find(".dls-title").textContent.trim()}.`];
      if (caption) parts.push(`${caption}.`);
      parts.push(drumlib.hits.describe(hits, this.data.drums));
      if (hits.length && picture) {
        const names = picture.names.length ? `: ${picture.names.join(", ")}` : "";
        parts.push(`Above the drums is a picture of ${picture.rows} rows${names}.`);
      }
      return parts.join(" ");
    }

    edit(hits) { // other hits from now on, at any setting of the knobs
      this.edited = hits;
      this.choose();
      this.change();
    }

    // Sound

    async load() {
      const { kits } = drumlib, { kit, rate } = this.data;
      if (!kits[kit.name]) kits[kit.name] = decodeKit(kit, this.find(".dls-kit").textContent, rate);
      const stems = this.stemElements.map(async (element) => {
        const name = element.getAttribute("data-stem");
        if (this.stems[name]) return;
        this.stems[name] = await audio.decode(dom.audioBase64(element), rate, this.data.audio[name]);
      });
      [this.kit] = await Promise.all([kits[kit.name], ...stems]);
    }

    sounds() { // of the take and of the stems, to be mixed
      const { data, take, stems, muted, kit } = this, [snare, loud] = data.kit.loud, { looped } = this.transport;
      const sampleOf = ({ drum, velocity }) => kit[drum === snare && velocity >= loud ? data.drums.length : drum];
      const list = muted.drums ? [] : mix.drumSounds(take.hits, sampleOf, Object.assign({ looped }, data));
      if (muted.stems) return list;
      const names = Object.keys(stems).filter((name) => take.stem === null || take.stem === name);
      return list.concat(names.map((name) => ({ from: stems[name], at: 0, gain: 1, length: stems[name].length })));
    }

    async samples() { // of the present mix: one round of the loop, or the whole with its end
      await this.load();
      return this.transport.looped ? mix.mixLoop(this.sounds(), this.data).rest : mix.mixOnce(this.sounds(), this.data);
    }

    mixed() { // as a buffer: the first round of the loop and the others, whose length is `again`; or all, and `again` is 0
      const { rate } = this.data;
      if (!this.transport.looped) return { buffer: audio.makeBuffer(rate, mix.mixOnce(this.sounds(), this.data)), again: 0 };
      const { first, rest } = mix.mixLoop(this.sounds(), this.data);
      return { buffer: audio.makeBuffer(rate, first, rest), again: first.length / rate };
    }

    // Begins to sound at the context's time `when`, from `at` seconds on, and fades out what sounded before.
    sound({ buffer, again }, when, at, isLaterRound) {
      const before = this.voice, loop = again ? [again, 2 * again] : null;
      this.voice = audio.startVoice(buffer, when, at + (isLaterRound ? again : 0), { loop, fadeIn: Boolean(before) });
      audio.stopVoice(before, when);
    }

    begin(position) {
      const mixed = this.mixed(), when = audio.soon(); // in this order: to mix takes time
      this.sound(mixed, when, position, position > 0.01);
      return when;
    }

    // Another take, other hits, another mute: the music goes on in time. Before the samples are loaded there is nothing
    // to mix: `begin` mixes the take that is chosen then.
    change() {
      const { transport, seconds } = this;
      if (transport.state === "playing") {
        const mixed = this.mixed(), when = audio.soon(0.03);
        const at = Math.max(when - transport.startedAt, 0);
        if (transport.looped) this.sound(mixed, when, at % seconds, at >= seconds);
        else this.sound(mixed, when, at, false);
      }
      this.roll.paint();
    }

    silence() {
      audio.stopVoice(this.voice);
      this.voice = null;
    }

    ended() { // the last hits ring on: only the playhead goes back
      this.voice = null;
    }

    tick() {
      this.roll.paint();
    }

    failed() {
      this.status.textContent = "This browser cannot play the sound here.";
    }

    toggleLoop() {
      const { transport } = this, position = transport.now();
      transport.looped = !transport.looped;
      this.showLoop();
      if (transport.startedAt === null) transport.position = position;
      else transport.startedAt = audio.heardTime() - position;
      this.change();
    }

    showLoop() {
      this.loopButton.setAttribute("aria-pressed", String(this.transport.looped));
    }

    showMutes() {
      for (const button of this.muteButtons) {
        button.setAttribute("aria-pressed", String(Boolean(this.muted[button.getAttribute("data-mutes")])));
      }
    }

    // With a kernel, each turn of a knob replaces the stage by a new one with one take. If the old stage plays, the new
    // one takes over its music. A stage whose music is not taken over stops after `PATIENCE`.

    lost() {
      if (this.lostAt === null) this.lostAt = Date.now();
      if (this.liveName !== null && Date.now() - this.lostAt < PATIENCE) {
        setTimeout(() => this.transport.frame(), 50);
        return;
      }
      this.transport.leave();
      this.lostAt = null;
    }

    takeOver() {
      const before = drumlib.liveStages[this.liveName];
      drumlib.liveStages[this.liveName] = this;
      if (before) this.follow(before, 20);
    }

    handOver() { // the music and its settings, which plays on; null if none plays
      const { transport, voice, muted, seconds } = this, { startedAt, looped } = transport;
      if (!transport.active) return null;
      transport.release();
      transport.show("stopped");
      this.voice = null;
      return { voice, startedAt, looped, muted, seconds };
    }

    follow(before, tries) {
      const { transport } = this;
      if (transport.state !== "stopped") return;
      if (before.root.isConnected) {
        if (tries) setTimeout(() => this.follow(before, tries - 1), 50);
        return;
      }
      const music = before.handOver();
      if (!music) return;
      this.voice = music.voice;
      this.muted = music.muted;
      transport.looped = music.looped;
      this.showLoop();
      this.showMutes();
      if (music.voice && music.seconds === this.seconds) {
        transport.takeOver(music.startedAt, () => this.change());
      } else {
        this.silence();
        transport.play();
      }
    }

    // Picture

    rollHost() {
      const { data } = this, tallest = Math.max(0, ...data.pictures.map(([rows]) => rows));
      this.cell = tallest ? Math.min(Math.max(150 / tallest, 2), 15) : 0; // height of a row of the picture
      const colours = GRADIENT.map((part) => this.heatColour(part)).join();
      this.find(".dls-scale i").style.background = `linear-gradient(to right, ${colours})`;
      return {
        data, beats: beatsOf(data.bars), transport: this.transport, hits: () => this.hits,
        name: "drumlib-stage", summary: this.find(".dls-summary"), timeText: this.find(".dls-time"),
        above: tallest ? Math.ceil(tallest * this.cell) + 10 : 0,
        paintAbove: (shown, stepWidth) => this.paintPicture(shown, stepWidth),
        rowNames: [].concat(...data.pictures.map(([, names]) => names)),
        shownBar: () => this.shownBar,
        painted: () => { if (this.onPaint) this.onPaint(); }
      };
    }

    heatColour(part) {
      return `rgba(${drumlib.rollLayout.shade(this.data.palette, part).join()},${Math.min(1, part * 1.6).toFixed(3)})`;
    }

    shortened(name) { // until it fits to the left of the roll
      const { pen, layout } = this.roll;
      while (name.length > 2 && pen.measureText(name).width > layout.left - 10) name = `${name.slice(0, -2)}…`;
      return name;
    }

    paintPicture(shown, stepWidth) {
      const { roll, cell, take: { picture } } = this, { pen } = roll;
      if (!picture) return;
      const top = roll.layout.drums - 10 - picture.rows * cell, every = Math.ceil(11 / cell); // low rows: not all names
      for (let row = 0; row < picture.rows; row++) {
        const y = top + row * cell;
        if (picture.names.length && row % every === 0) roll.label(this.shortened(picture.names[row]), y + Math.max(cell, 11) / 2);
        for (let x = Math.ceil(roll.page.from); x < shown; x++) {
          const level = LEVELS.indexOf(picture.cells[row * this.data.steps + x]);
          if (level <= 0) continue;
          pen.fillStyle = this.heatColour(level / (LEVELS.length - 1));
          pen.fillRect(roll.place(x), y, stepWidth + 0.3, cell > 5 ? cell - 1 : cell);
        }
      }
    }
  }

  drumlib.components.stage = (root) => new Stage(root);
})(window.drumlib = window.drumlib || {});
