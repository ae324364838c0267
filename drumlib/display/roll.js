// The drum roll: drums and time on one canvas, the same in the player and in the stage, with a playhead that clicks and keys move.
(function (drumlib) {
  "use strict";

  const FONT = "11px system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif";
  const COLOURS = ["ink", "soft-ink", "line", "bar", "row", "band", "head"];
  const { EPSILON, interpolate, barAt, layoutOf, pageOf, stepOfKey, shade, clock, beatAt } = drumlib.rollLayout;

  class Roll {
    // `host` has: data (bars and x in steps, t in seconds, drums, short, palette, seconds, number of the first bar, and
    // perhaps row, a row's height), beats (in steps), transport, hits(), timeText and summary (elements), name, and what
    // is above the drums: its height, above, and how it is drawn, paintAbove(shown, width of a step).
    // It may have: rowNames, names of its own to the left; shownBar(), the bar to show; painted(), called after.
    constructor(root, host) {
      this.root = root;
      this.host = host;
      this.data = host.data;
      this.transport = host.transport;
      this.canvas = root.querySelector("canvas");
      this.pen = this.canvas.getContext("2d");
      this.colours = {};
      this.layout = {};
      this.page = { first: 0, end: 1 };
      drumlib.rolls = (drumlib.rolls || 0) + 1;
      host.summary.id = `${host.name}-${Date.now().toString(36)}-${drumlib.rolls}`;
      this.canvas.setAttribute("aria-describedby", host.summary.id);
      this.canvas.setAttribute("aria-valuemax", this.data.seconds.toFixed(1));
      this.canvas.addEventListener("click", (event) => this.clicked(event));
      this.canvas.addEventListener("keydown", (event) => this.pressed(event));
      this.watch();
    }

    watch() { // for another size or another theme
      const repaint = () => this.paint(), recolour = () => this.readColours();
      if (window.ResizeObserver) new ResizeObserver(repaint).observe(this.root);
      else window.addEventListener("resize", repaint);
      const observer = new MutationObserver(recolour), attributeFilter = ["data-theme", "theme", "data-jp-theme-light", "class"];
      for (const element of [document.documentElement, document.body]) observer.observe(element, { attributes: true, attributeFilter });
      const dark = window.matchMedia("(prefers-color-scheme: dark)");
      if (dark.addEventListener) dark.addEventListener("change", recolour);
    }

    readColours() {
      const style = getComputedStyle(this.root);
      for (const name of COLOURS) this.colours[name] = style.getPropertyValue(`--drumlib-${name}`).trim();
      this.paint();
    }

    stepAt(seconds) {
      return interpolate(seconds, this.data.t, this.data.x);
    }

    secondsAt(step) {
      if (step === -Infinity) return 0;
      return Math.min(Math.max(interpolate(step, this.data.x, this.data.t), 0), this.data.seconds);
    }

    // Where a step is, in pixels from the left.
    place(step) {
      const { left, right } = this.layout;
      return left + (step - this.page.from) * (right - left) / (this.page.to - this.page.from);
    }

    measure() {
      const width = this.canvas.clientWidth || 600, ratio = window.devicePixelRatio || 1;
      this.pen.font = FONT;
      const label = (this.host.rowNames || []).reduce((most, name) => Math.max(most, this.pen.measureText(name).width), 0);
      const { above } = this.host, { row } = this.data;
      this.layout = layoutOf(width, { drums: this.data.drums.length, above, row, label });
      this.canvas.style.height = `${this.layout.height}px`;
      const pixels = { width: Math.round(width * ratio), height: Math.round(this.layout.height * ratio) };
      // A canvas that is given its own size is made anew, too.
      if (this.canvas.width !== pixels.width || this.canvas.height !== pixels.height) Object.assign(this.canvas, pixels);
      this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    }

    paint() {
      this.measure();
      const { pen, layout, host } = this, { bars } = this.data;
      const now = this.transport.now(), step = this.stepAt(now);
      const fixed = host.shownBar ? host.shownBar() : null;
      this.page = pageOf(bars, layout.bars, fixed === null ? barAt(bars, step) : fixed);
      const shown = bars[this.page.end], stepWidth = (layout.right - layout.left) / (this.page.to - this.page.from);
      pen.clearRect(0, 0, layout.width, layout.height);
      pen.font = FONT; // a canvas whose size has changed has forgotten it
      pen.textBaseline = "middle";
      this.paintRows();
      host.paintAbove(shown, stepWidth);
      this.paintGrid(shown);
      for (const hit of host.hits()) {
        if (hit.step >= this.page.from - 0.02 && hit.step <= shown - 0.02) this.paintHit(hit, step, stepWidth);
      }
      this.paintOverview(now, shown);
      this.paintHead(step, shown);
      this.showPosition(now, step);
      if (host.painted) host.painted();
    }

    line(x, top, bottom, colour, width) {
      this.pen.fillStyle = colour;
      this.pen.fillRect(x - width / 2, top, width, bottom - top);
    }

    box(x, y, width, height, colour) { // with round corners, where the browser can
      this.pen.fillStyle = colour;
      this.pen.beginPath();
      if (this.pen.roundRect) this.pen.roundRect(x, y, width, height, 2.5);
      else this.pen.rect(x, y, width, height);
      this.pen.fill();
    }

    label(text, middle) { // to the left of the roll
      this.pen.fillStyle = this.colours["soft-ink"];
      this.pen.textAlign = "right";
      this.pen.fillText(text, this.layout.left - 8, middle);
    }

    paintRows() {
      const { left, right, bottom, row, narrow } = this.layout;
      this.data.drums.forEach((name, i) => {
        const y = bottom - (i + 1) * row;
        if (i % 2) this.line((left + right) / 2, y, y + row, this.colours.row, right - left);
        this.label(narrow ? this.data.short[i] : name, y + row / 2);
      });
    }

    paintGrid(shown) { // steps, beats and numbered bars
      const { pen, page, colours } = this, { drums, bottom, top, narrow } = this.layout;
      for (let x = page.from; x < shown - EPSILON; x += 1) this.line(this.place(x), drums, bottom, colours.line, 1);
      for (const beat of this.host.beats) {
        if (beat >= page.from && beat < shown) this.line(this.place(beat), drums, bottom, colours.line, 2);
      }
      pen.textAlign = "left";
      for (let bar = page.first; bar <= page.end; bar++) {
        const x = this.place(this.data.bars[bar]);
        this.line(x, top - 4, bottom, colours.bar, 1.2);
        pen.fillStyle = colours["soft-ink"];
        if (bar < page.end) pen.fillText((narrow ? "" : "bar ") + (this.data.number + bar), x + 4, 9);
      }
    }

    paintHit({ step, offset, drum, velocity }, now, stepWidth) { // the louder the taller; a line where its step is
      const { pen } = this, { bottom, row } = this.layout, at = step + offset, middle = bottom - (drum + 0.5) * row;
      const tall = row * (0.34 + 0.52 * velocity / 127), wide = Math.max(4, Math.min(stepWidth * 0.62, 13));
      if (Math.abs(offset) > 0.005) this.line(this.place(step), middle - row * 0.42, middle + row * 0.42, this.colours.bar, 1.4);
      this.box(this.place(at), middle - tall / 2, wide, tall, `rgb(${shade(this.data.palette, velocity / 127).join()})`);
      if (this.transport.state !== "playing" || now < at || now >= at + 0.8) return;
      pen.strokeStyle = this.colours.ink;
      pen.lineWidth = 1.5;
      pen.stroke();
    }

    paintOverview(now, shown) { // all of the music below the drums, this page marked
      const { pen, colours } = this, { left, right, bottom } = this.layout, y = bottom + 12;
      const scale = (right - left) / this.data.seconds, from = this.secondsAt(this.page.from);
      this.box(left, y, right - left, 5, colours.line);
      this.box(left + from * scale, y, (this.secondsAt(shown) - from) * scale, 5, colours.bar);
      pen.fillStyle = colours.head;
      pen.beginPath();
      pen.arc(left + now * scale, y + 2.5, 4.5, 0, 7);
      pen.fill();
    }

    paintHead(step, shown) { // the playhead. Music may begin before the first bar and end after the last
      const { pen, page } = this, { top, bottom } = this.layout;
      const begun = step >= page.from - EPSILON || page.first === 0;
      const ended = step > shown + EPSILON && page.end < this.data.bars.length - 1;
      if (!begun || ended) return;
      const x = this.place(Math.min(Math.max(step, page.from), shown));
      this.line(x, top - 6, bottom, this.colours.head, 2);
      pen.beginPath();
      pen.moveTo(x - 5, top - 9);
      pen.lineTo(x + 5, top - 9);
      pen.lineTo(x, top - 3);
      pen.fill();
    }

    showPosition(now, step) { // in words
      const { bars, number, seconds } = this.data, { setText, setAttribute } = drumlib.dom;
      this.root.setAttribute("data-position", now.toFixed(3));
      setText(this.host.timeText, `${clock(now)} / ${clock(seconds)}`);
      const bar = barAt(bars, step), beat = beatAt(bars, this.host.beats, step);
      const text = `bar ${number + bar} of ${number + bars.length - 2}, beat ${beat}, ${clock(now)}`;
      setAttribute(this.canvas, "aria-valuenow", now.toFixed(1));
      setAttribute(this.canvas, "aria-valuetext", text);
    }

    clicked(event) { // below the drums anywhere in the music, else on this page
      const inside = this.canvas.getBoundingClientRect(), { left, right, bottom } = this.layout, { page } = this;
      const part = Math.min(Math.max((event.clientX - inside.left - left) / (right - left), 0), 1);
      const step = Math.min(page.from + part * (page.to - page.from), this.data.bars[page.end]);
      const below = event.clientY - inside.top > bottom + 4;
      this.transport.seek(below ? part * this.data.seconds : this.secondsAt(step));
    }

    pressed(event) {
      if (drumlib.dom.hasModifier(event)) return;
      const toggles = event.key === " " || event.key === "Enter";
      const step = stepOfKey(event.key, this.stepAt(this.transport.now()), this.data.bars);
      if (step === null && !toggles) return;
      event.preventDefault();
      event.stopPropagation();
      if (step !== null) this.transport.seek(this.secondsAt(step));
      else if (!event.repeat) this.transport.toggle();
    }
  }

  drumlib.Roll = Roll;
})(window.drumlib = window.drumlib || {});
