// The sequencer: a stage with cells over its drum roll, in which hits are set, moved and made louder or softer.
(function (drumlib) {
  "use strict";

  const SOFTEST = 1, LOUDEST = 127, EARLIEST = -50, LATEST = 49; // velocities, and offsets in hundredths of a step
  const DEFAULT_VELOCITY = 100; // velocity of a new hit
  const STEPS_PER_BAR = 16;
  const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] }; // drums, steps

  function keyOf(drum, step) {
    return `${drum} ${step}`;
  }

  function clamp(value, low, high) {
    return Math.min(Math.max(value, low), high);
  }

  function offsetInWords(hundredths) {
    if (!hundredths) return "on the grid";
    return `0.${String(Math.abs(hundredths)).padStart(2, "0")} ${hundredths > 0 ? "late" : "early"}`;
  }

  class Sequencer {
    constructor(stage) {
      this.stage = stage;
      this.root = stage.root;
      this.find = (selector) => this.root.querySelector(selector);
      this.steps = stage.data.steps;
      this.drums = stage.data.drums;
      this.sliders = { velocity: this.find(".dlq-velocity"), offset: this.find(".dlq-offset") };
      this.chosen = { drum: 0, step: 0 };
      this.cells = {}; // elements, by key
      this.shape = ""; // of the roll when the cells were laid out
      this.lastVelocity = {}; // of the hit that was last cleared, by drum
      this.pressedHit = null; // key of a hit that a press of the mouse has just chosen: only the next click clears it
      this.first = this.readHits();
      this.hits = this.readHits();
      this.grid = this.makeGrid();
      this.listen();
      stage.shownBar = 0;
      stage.onPaint = () => this.layOut();
      this.root.setAttribute("data-edits", "");
      stage.roll.paint();
      this.changed();
    }

    // Hits, by key; here an offset is in hundredths of a step, as the slider sets it.

    readHits() {
      const hits = {};
      for (const { drum, step, velocity, offset } of this.stage.hits) {
        hits[keyOf(drum, step)] = { drum, step, velocity, offset: Math.round(100 * offset) };
      }
      return hits;
    }

    sortedHits() { // as the stage has them
      const hits = Object.values(this.hits).map((hit) => Object.assign({}, hit, { offset: hit.offset / 100 }));
      return hits.sort((a, b) => a.step - b.step || a.drum - b.drum);
    }

    chosenHit() {
      return this.hits[keyOf(this.chosen.drum, this.chosen.step)];
    }

    changed() {
      const hits = this.sortedHits(), file = drumlib.midi.drumFile(hits, this.stage.data);
      this.stage.edit(hits);
      this.find(".dlq-text").value = `groove = Sequencer.groove_from("${drumlib.hits.grooveText(hits, this.steps, this.drums)}")`;
      this.find(".dlq-midi").href = drumlib.midi.dataAddress(file);
      this.find(".dlq-copy").textContent = "Copy as Python";
      this.relabel();
    }

    toggle(drum, step) {
      const key = keyOf(drum, step), hit = this.hits[key];
      if (hit) {
        this.lastVelocity[drum] = hit.velocity;
        delete this.hits[key];
      } else {
        this.hits[key] = { drum, step, velocity: this.lastVelocity[drum] || DEFAULT_VELOCITY, offset: 0 };
      }
      this.changed();
    }

    alter(louder, later) {
      const hit = this.chosenHit();
      if (!hit) return;
      hit.velocity = clamp(hit.velocity + louder, SOFTEST, LOUDEST);
      hit.offset = clamp(hit.offset + later, EARLIEST, LATEST);
      this.changed();
    }

    // Cells

    makeGrid() {
      const grid = drumlib.dom.element("div", "dlq-grid");
      grid.setAttribute("role", "grid");
      grid.setAttribute("aria-label", "Steps of the nine drums");
      this.find(".dls-board").appendChild(grid);
      return grid;
    }

    layOut() { // over the canvas, whenever it was painted with another shape
      const { layout, page } = this.stage.roll, { grid } = this;
      const shape = [layout.left, layout.right, layout.drums, layout.bottom, layout.row, page.from, page.to].join();
      if (shape === this.shape) return;
      this.shape = shape;
      const hadFocus = grid.contains(document.activeElement);
      const to = Math.min(page.to, this.steps); // the last page may be wider than its bars
      grid.style.left = `${layout.left}px`;
      grid.style.width = `${(layout.right - layout.left) * (to - page.from) / (page.to - page.from)}px`;
      grid.style.top = `${layout.drums}px`;
      grid.style.height = `${layout.bottom - layout.drums}px`;
      grid.textContent = "";
      this.cells = {};
      for (let drum = this.drums.length - 1; drum >= 0; drum--) grid.appendChild(this.makeRow(drum, page.from, to, layout.row));
      this.layOutPages();
      if (this.chosen.step < page.from || this.chosen.step >= page.to) this.chosen.step = page.from;
      this.relabel();
      if (hadFocus) this.cells[keyOf(this.chosen.drum, this.chosen.step)].focus();
    }

    makeRow(drum, from, to, height) {
      const row = drumlib.dom.element("div", "dlq-row");
      row.setAttribute("role", "row");
      row.style.top = `${(this.drums.length - 1 - drum) * height}px`;
      row.style.height = `${height}px`;
      for (let step = from; step < to; step++) {
        const cell = drumlib.dom.element("div", "dlq-at");
        cell.setAttribute("role", "gridcell");
        cell.setAttribute("data-drum", drum);
        cell.setAttribute("data-step", step);
        this.cells[keyOf(drum, step)] = cell;
        row.appendChild(cell);
      }
      return row;
    }

    layOutPages() { // a button for each page, where not all bars are shown
      const buttons = this.find(".dlq-bars"), perPage = this.stage.roll.layout.bars;
      const bars = this.stage.data.bars.length - 1, hadFocus = buttons.contains(document.activeElement);
      buttons.hidden = bars <= perPage;
      buttons.textContent = "";
      for (let from = 0; from < bars && !buttons.hidden; from += perPage) {
        const to = Math.min(from + perPage, bars);
        const button = drumlib.dom.element("button", "", to - from > 1 ? `Bars ${from + 1}–${to}` : `Bar ${from + 1}`);
        button.type = "button";
        button.setAttribute("aria-pressed", String(this.stage.roll.page.first === from));
        button.addEventListener("click", () => this.turnTo(from));
        buttons.appendChild(button);
      }
      if (hadFocus && !buttons.hidden) buttons.querySelector("[aria-pressed=true]").focus();
    }

    turnTo(bar) {
      this.stage.shownBar = bar;
      this.stage.roll.paint();
    }

    relabel() {
      for (const [key, cell] of Object.entries(this.cells)) {
        const { drum, step } = this.placeOf(cell), isChosen = drum === this.chosen.drum && step === this.chosen.step;
        cell.setAttribute("aria-label", this.inWords(drum, step));
        cell.setAttribute("aria-selected", String(Boolean(this.hits[key])));
        cell.tabIndex = isChosen ? 0 : -1;
        if (isChosen) cell.setAttribute("data-chosen", "");
        else cell.removeAttribute("data-chosen");
      }
      const hit = this.chosenHit();
      drumlib.dom.setText(this.find(".dlq-what"), this.inWords(this.chosen.drum, this.chosen.step));
      this.setSlider("velocity", hit ? hit.velocity : DEFAULT_VELOCITY, hit ? String(hit.velocity) : "–");
      this.setSlider("offset", hit ? hit.offset : 0, hit ? offsetInWords(hit.offset) : "–");
    }

    setSlider(name, value, text) {
      const slider = this.sliders[name];
      slider.disabled = !this.chosenHit();
      slider.value = value;
      slider.setAttribute("aria-valuetext", text);
      slider.parentNode.querySelector(".dls-value").textContent = text;
    }

    inWords(drum, step) { // steps from 0, as everywhere
      const hit = this.hits[keyOf(drum, step)], bar = Math.floor(step / STEPS_PER_BAR) + 1;
      const played = hit ? `velocity ${hit.velocity}, ${offsetInWords(hit.offset)}` : "no hit";
      return `${this.drums[drum]}, bar ${bar}, step ${step % STEPS_PER_BAR}: ${played}`;
    }

    choose(drum, step, focus) {
      this.chosen = { drum: clamp(drum, 0, this.drums.length - 1), step: clamp(step, 0, this.steps - 1) };
      const { page, layout } = this.stage.roll, bar = Math.floor(this.chosen.step / STEPS_PER_BAR);
      if (this.chosen.step < page.from || this.chosen.step >= page.to) this.turnTo(Math.floor(bar / layout.bars) * layout.bars);
      this.relabel();
      if (focus) this.cells[keyOf(this.chosen.drum, this.chosen.step)].focus();
    }

    placeOf(cell) {
      return { drum: Number(cell.getAttribute("data-drum")), step: Number(cell.getAttribute("data-step")) };
    }

    // Mouse, finger and keyboard

    listen() {
      const onCell = (type, act) => this.grid.addEventListener(type, (event) => {
        const cell = event.target.closest(".dlq-at");
        if (cell) act(this.placeOf(cell));
      });
      const isChosen = ({ drum, step }) => drum === this.chosen.drum && step === this.chosen.step;
      onCell("mousedown", (place) => { // before the cell gets the focus, and is chosen by it
        const key = keyOf(place.drum, place.step);
        this.pressedHit = this.hits[key] && !isChosen(place) ? key : null;
      });
      onCell("click", ({ drum, step }) => {
        this.choose(drum, step, true);
        if (this.pressedHit !== keyOf(drum, step)) this.toggle(drum, step);
        this.pressedHit = null;
      });
      onCell("focusin", (place) => {
        if (!isChosen(place)) this.choose(place.drum, place.step, false);
      });
      this.grid.addEventListener("keydown", (event) => this.pressed(event));
      for (const [name, slider] of Object.entries(this.sliders)) {
        slider.addEventListener("input", () => {
          const hit = this.chosenHit();
          if (!hit) return;
          hit[name] = Number(slider.value);
          this.changed();
        });
        slider.addEventListener("keydown", (event) => event.stopPropagation());
      }
      this.find(".dlq-clear").addEventListener("click", () => this.setHits({}));
      this.find(".dlq-reset").addEventListener("click", () => this.setHits(JSON.parse(JSON.stringify(this.first))));
      this.find(".dlq-copy").addEventListener("click", () => this.copy());
    }

    setHits(hits) {
      this.hits = hits;
      this.changed();
    }

    pressed(event) {
      if (drumlib.dom.hasModifier(event)) return;
      const { drum, step } = this.chosen, move = MOVES[event.key];
      if (move && event.shiftKey) this.alter(5 * move[0], move[1]);
      else if (move) this.choose(drum + move[0], step + move[1], true);
      else if (event.key === "Home") this.choose(drum, 0, true);
      else if (event.key === "End") this.choose(drum, this.steps - 1, true);
      else if (event.key === "Enter" || event.key === " ") {
        if (!event.repeat) this.toggle(drum, step);
      } else if (event.key === "Delete" || event.key === "Backspace") {
        if (this.chosenHit()) this.toggle(drum, step);
      } else return;
      event.preventDefault();
      event.stopPropagation();
    }

    async copy() {
      const box = this.find(".dlq-text"), button = this.find(".dlq-copy");
      button.textContent = await copied(box) ? "Copied" : "Press Ctrl+C";
      if (button.textContent === "Copied") button.focus();
    }
  }

  // Whether the text was copied. A page from a disk may not use the clipboard: then the old command is tried, and where
  // that fails, too, the text is left selected for the reader's own keys.
  async function copied(box) {
    try {
      if (navigator.clipboard && window.isSecureContext) {
        await navigator.clipboard.writeText(box.value);
        return true;
      }
    } catch (error) { /* not allowed here */ }
    box.focus();
    box.select();
    try {
      return document.execCommand("copy");
    } catch (error) {
      return false;
    }
  }

  drumlib.makeSequencer = (stage) => new Sequencer(stage);
})(window.drumlib = window.drumlib || {});
