// What makes a stage a sequencer: cells over its drum roll that can be struck, moved and made louder or softer.
// This code comes with every sequencer, after the stage's; the first one defines it, the others find it there.
(function () {
  "use strict";
  var NAME = "drumlibSequencer_{{version}}";
  if (!window[NAME]) window[NAME] = define();
  window[NAME]();

  function define() {
    var SOFTEST = 1, LOUDEST = 127, EARLIEST = -50, LATEST = 49, TICKS = 100; // ticks a step: a hundredth of it is one

    function scan(tries) {
      var found = document.querySelectorAll('.drumlib-stage[data-kind="sequencer"][data-ready]:not([data-edits])');
      for (var i = 0; i < found.length; i++) start(found[i]);
      if (!found.length && tries < 40) setTimeout(function () { scan(tries + 1); }, 50);
    }

    function start(root) {
      root.setAttribute("data-edits", "");
      var find = function (selector) { return root.querySelector(selector); };
      var stage = root.drumlib, data = stage.data, steps = data.steps, drums = data.drums;
      var canvas = find(".dls-roll"), board = find(".dls-board"), what = find(".dlq-what");
      var sliders = { velocity: find(".dlq-velocity"), offset: find(".dlq-offset") };
      var at = { drum: 0, step: 0 }, cells = {}, shown = "", loudOf = {};
      var first = read(), strokes = read();

      function key(drum, step) { return drum + " " + step; }
      function read() { // by cell; offsets in hundredths of a step
        var by = {};
        stage.strokes().forEach(function (s) {
          by[key(s.drum, s.step)] = { drum: s.drum, step: s.step, velocity: s.velocity, offset: Math.round(100 * s.offset) };
        });
        return by;
      }
      function copy(by) {
        var other = {};
        Object.keys(by).forEach(function (k) { other[k] = { drum: by[k].drum, step: by[k].step, velocity: by[k].velocity, offset: by[k].offset }; });
        return other;
      }
      function sorted() {
        return Object.keys(strokes).map(function (k) { return strokes[k]; }).sort(function (a, b) { return a.step - b.step || a.drum - b.drum; });
      }
      function changed() {
        stage.edit(sorted().map(function (s) { return { drum: s.drum, step: s.step, velocity: s.velocity, offset: s.offset / 100 }; }));
        find(".dlq-text").value = 'groove = Sequencer.groove_from("' + text() + '")';
        find(".dlq-midi").href = "data:audio/midi;base64," + midi();
        find(".dlq-copy").textContent = "Copy as Python";
        relabel();
      }

      // To take home: the same line as Sequencer.text, and a MIDI file
      function timing(offset) {
        var size = Math.abs(offset);
        return (offset < 0 ? "-" : "+") + "0." + (size < 10 ? "0" : "") + size;
      }
      function text() {
        var parts = [steps + " steps"];
        drums.forEach(function (name, drum) {
          var own = sorted().filter(function (s) { return s.drum === drum; });
          if (own.length) parts.push(name + " " + own.map(function (s) { return s.step + ":" + s.velocity + (s.offset ? timing(s.offset) : ""); }).join(" "));
        });
        return parts.join("; ");
      }
      function midi() {
        function number(value, bytes) { var out = []; while (bytes--) out.push(value >> 8 * bytes & 255); return out; }
        function variable(value) { // seven bits a byte, the last without its high bit
          var out = [value & 127];
          while (value >>= 7) out.unshift(value & 127 | 128);
          return out;
        }
        var microseconds = Math.round(60000000 / data.bpm), events = [], track = [], before = 0;
        sorted().forEach(function (s) {
          var tick = Math.max(s.step * TICKS + s.offset, 0), pitch = data.pitches[s.drum];
          events.push([tick, 1, [0x99, pitch, s.velocity]], [tick + TICKS / 2, 0, [0x89, pitch, 0]]);
        });
        events.sort(function (a, b) { return a[0] - b[0] || a[1] - b[1]; }); // where one ends as another begins, it ends first
        track = track.concat([0, 0xff, 0x51, 3], number(microseconds, 3), [0, 0xff, 0x58, 4, 4, 2, 24, 8]);
        events.forEach(function (event) {
          track = track.concat(variable(event[0] - before), event[2]);
          before = event[0];
        });
        track = track.concat(variable(Math.max(steps * TICKS - before, 0)), [0xff, 0x2f, 0]);
        var header = [0x4d, 0x54, 0x68, 0x64].concat(number(6, 4), number(0, 2), number(1, 2), number(4 * TICKS, 2));
        var file = header.concat([0x4d, 0x54, 0x72, 0x6b], number(track.length, 4), track);
        return btoa(String.fromCharCode.apply(null, file));
      }

      // Cells
      var grid = document.createElement("div");
      grid.className = "dlq-grid";
      grid.setAttribute("role", "grid");
      grid.setAttribute("aria-label", "Steps of the nine drums");
      board.appendChild(grid);

      function layout() { // over the canvas, whenever it was painted with another shape
        var s = stage.shape(), page = stage.page(), now = [s.left, s.right, s.drums, s.bottom, s.row, page.from, page.to].join();
        if (now === shown) return;
        shown = now;
        var focused = grid.contains(document.activeElement);
        grid.style.left = s.left + "px";
        var to = Math.min(page.to, steps); // the last page may be wider than its bars
        grid.style.width = (s.right - s.left) * (to - page.from) / (page.to - page.from) + "px";
        grid.style.top = s.drums + "px";
        grid.style.height = (s.bottom - s.drums) + "px";
        grid.textContent = "";
        cells = {};
        for (var drum = drums.length - 1; drum >= 0; drum--) {
          var row = document.createElement("div");
          row.className = "dlq-row";
          row.setAttribute("role", "row");
          row.style.top = (drums.length - 1 - drum) * s.row + "px";
          row.style.height = s.row + "px";
          for (var step = page.from; step < to; step++) {
            var cell = document.createElement("div");
            cell.className = "dlq-at";
            cell.setAttribute("role", "gridcell");
            cell.setAttribute("data-drum", drum);
            cell.setAttribute("data-step", step);
            cells[key(drum, step)] = cell;
            row.appendChild(cell);
          }
          grid.appendChild(row);
        }
        var whole = data.bars.length - 1, buttons = find(".dlq-bars"), pages = Math.ceil(whole / s.bars);
        var pressed = buttons.contains(document.activeElement);
        buttons.hidden = pages < 2;
        buttons.textContent = "";
        for (var i = 0; i < pages && pages > 1; i++) pageButton(buttons, i * s.bars, Math.min((i + 1) * s.bars, whole));
        if (at.step < page.from || at.step >= page.to) at = { drum: at.drum, step: page.from };
        relabel();
        if (focused) cells[key(at.drum, at.step)].focus();
        if (pressed && !buttons.hidden) buttons.querySelector("[aria-pressed=true]").focus();
      }
      function pageButton(buttons, from, to) {
        var button = document.createElement("button"), page = stage.page();
        button.type = "button";
        button.textContent = to - from > 1 ? "Bars " + (from + 1) + "–" + to : "Bar " + (from + 1);
        button.setAttribute("aria-pressed", String(page.first === from));
        button.addEventListener("click", function () { turn(from); });
        buttons.appendChild(button);
      }
      function turn(to) {
        root.drumlibPage = to;
        stage.paint();
      }
      function relabel() {
        Object.keys(cells).forEach(function (k) {
          var cell = cells[k], drum = Number(cell.getAttribute("data-drum")), step = Number(cell.getAttribute("data-step"));
          var here = drum === at.drum && step === at.step;
          cell.setAttribute("aria-label", spoken(drum, step));
          cell.setAttribute("aria-selected", String(!!strokes[k]));
          cell.tabIndex = here ? 0 : -1;
          if (here) cell.setAttribute("data-chosen", ""); else cell.removeAttribute("data-chosen");
        });
        var stroke = strokes[key(at.drum, at.step)], said = spoken(at.drum, at.step);
        if (what.textContent !== said) what.textContent = said;
        tell(sliders.velocity, stroke, stroke ? stroke.velocity : 100, stroke ? String(stroke.velocity) : "–");
        tell(sliders.offset, stroke, stroke ? stroke.offset : 0, stroke ? lean(stroke.offset) : "–");
      }
      function tell(slider, stroke, value, text) {
        slider.disabled = !stroke;
        slider.value = value;
        slider.setAttribute("aria-valuetext", text);
        slider.parentNode.querySelector(".dls-value").textContent = text;
      }
      function lean(offset) { return offset ? "0." + ("0" + Math.abs(offset)).slice(-2) + (offset > 0 ? " late" : " early") : "on the grid"; }
      function spoken(drum, step) {
        var stroke = strokes[key(drum, step)], where = "bar " + (Math.floor(step / 16) + 1) + ", step " + step % 16; // steps from 0, as everywhere
        return drums[drum] + ", " + where + ": " + (stroke ? "velocity " + stroke.velocity + ", " + lean(stroke.offset) : "no stroke");
      }
      function choose(drum, step, focus) {
        at = { drum: Math.min(Math.max(drum, 0), drums.length - 1), step: Math.min(Math.max(step, 0), steps - 1) };
        var page = stage.page();
        if (at.step < page.from || at.step >= page.to) turn(Math.floor(at.step / 16 / stage.shape().bars) * stage.shape().bars);
        relabel();
        if (focus) cells[key(at.drum, at.step)].focus();
      }
      function strike(drum, step) {
        var k = key(drum, step);
        if (strokes[k]) { loudOf[drum] = strokes[k].velocity; delete strokes[k]; } else strokes[k] = { drum: drum, step: step, velocity: loudOf[drum] || 100, offset: 0 };
        changed();
      }
      function alter(loud, late) {
        var stroke = strokes[key(at.drum, at.step)];
        if (!stroke) return;
        stroke.velocity = Math.min(Math.max(stroke.velocity + loud, SOFTEST), LOUDEST);
        stroke.offset = Math.min(Math.max(stroke.offset + late, EARLIEST), LATEST);
        changed();
      }

      // Hands
      var grasped = null; // the stroke that this press of the mouse chooses: only the next one clears it
      grid.addEventListener("mousedown", function (event) { // before the cell takes the focus, and is chosen by it
        var cell = event.target.closest(".dlq-at"), k = cell && key(cell.getAttribute("data-drum"), cell.getAttribute("data-step"));
        grasped = k && strokes[k] && k !== key(at.drum, at.step) ? k : null;
      });
      grid.addEventListener("click", function (event) {
        var cell = event.target.closest(".dlq-at");
        if (!cell) return;
        choose(Number(cell.getAttribute("data-drum")), Number(cell.getAttribute("data-step")), true);
        if (grasped !== key(at.drum, at.step)) strike(at.drum, at.step);
        grasped = null;
      });
      grid.addEventListener("focusin", function (event) {
        var cell = event.target.closest(".dlq-at");
        if (cell && cell !== cells[key(at.drum, at.step)]) choose(Number(cell.getAttribute("data-drum")), Number(cell.getAttribute("data-step")), false);
      });
      grid.addEventListener("keydown", function (event) {
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        var moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] }, move = moves[event.key];
        if (move && event.shiftKey) alter(5 * move[0], move[1]);
        else if (move) choose(at.drum + move[0], at.step + move[1], true);
        else if (event.key === "Home") choose(at.drum, 0, true);
        else if (event.key === "End") choose(at.drum, steps - 1, true);
        else if (event.key === "Enter" || event.key === " ") { if (!event.repeat) strike(at.drum, at.step); }
        else if (event.key === "Delete" || event.key === "Backspace") { if (strokes[key(at.drum, at.step)]) strike(at.drum, at.step); }
        else return;
        event.preventDefault();
        event.stopPropagation();
      });
      Object.keys(sliders).forEach(function (name) {
        sliders[name].addEventListener("input", function () {
          var stroke = strokes[key(at.drum, at.step)];
          if (!stroke) return;
          stroke[name] = Number(sliders[name].value);
          changed();
        });
        sliders[name].addEventListener("keydown", function (event) { event.stopPropagation(); });
      });
      find(".dlq-clear").addEventListener("click", function () { strokes = {}; changed(); });
      find(".dlq-reset").addEventListener("click", function () { strokes = copy(first); changed(); });
      find(".dlq-copy").addEventListener("click", function () {
        var box = find(".dlq-text"), button = this;
        var done = function () { button.textContent = "Copied"; };
        var byHand = function () { // a page from a disk may not use the clipboard: the old way, or the reader's own keys
          box.focus();
          box.select();
          var copied = false;
          try { copied = document.execCommand("copy"); } catch (error) { copied = false; }
          if (copied) { done(); button.focus(); } else button.textContent = "Press Ctrl+C";
        };
        if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(box.value).then(done, byHand); else byHand();
      });
      root.drumlibPage = 0;
      root.drumlibPainted = layout;
      root.drumlib.text = text;
      stage.paint();
      changed();
    }

    return function () { scan(0); };
  }
})();
