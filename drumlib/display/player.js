// The player in a page. This code comes with every player; the first one defines it, the others find it there.
// A player needs no network and no kernel: its sound and its notes stand in its own HTML.
(function () {
  "use strict";
  var NAME = "drumlibPlayer_{{version}}";
  if (!window[NAME]) window[NAME] = define();
  window[NAME]();

  function define() {
    var context = null; // one for the page, made when a reader first presses play: browsers allow it only then
    var count = 0;

    function scan(tries) {
      var found = document.querySelectorAll(".drumlib-player:not([data-ready])");
      for (var i = 0; i < found.length; i++) start(found[i]);
      // Some notebooks run an output's script just before they put the output into the page.
      if (!found.length && tries < 20) setTimeout(function () { scan(tries + 1); }, 50);
    }

    function start(root) {
      root.setAttribute("data-ready", "");
      var find = function (selector) { return root.querySelector(selector); };
      var song = JSON.parse(find(".dlp-data").textContent);
      var canvas = find(".dlp-roll"), playButton = find(".dlp-play"), draw2d = canvas.getContext("2d");
      var stems = Array.prototype.map.call(root.querySelectorAll("audio[data-stem]"), function (element) {
        return { name: element.getAttribute("data-stem"), element: element, muted: false };
      });
      var state = "stopped", position = 0, startedAt = 0, generation = 0;
      var colours = {}, page = { first: 0, end: 1 }, shape = {};
      count += 1;
      var summary = find(".dlp-summary");
      summary.id = "drumlib-summary-" + Date.now().toString(36) + "-" + count;
      canvas.setAttribute("aria-describedby", summary.id);
      canvas.setAttribute("aria-valuemax", song.seconds.toFixed(1));
      stems.forEach(function (stem) { stem.element.controls = false; stem.element.hidden = true; });
      find(".dlp-ui").hidden = false;

      // Where time is on the page: song.x holds the sixteenths, song.t the seconds, of every beat.
      function between(value, from, to) {
        var low = 0, high = from.length - 1;
        while (high - low > 1) { var middle = (low + high) >> 1; if (from[middle] <= value) low = middle; else high = middle; }
        return to[low] + (value - from[low]) * (to[high] - to[low]) / (from[high] - from[low]);
      }
      function stepAt(seconds) { return between(seconds, song.t, song.x); }
      function secondsAt(step) { return Math.min(Math.max(between(step, song.x, song.t), 0), song.seconds); }
      function barAt(step) {
        var bar = 0;
        while (bar + 2 < song.bars.length && song.bars[bar + 1] <= step + 1e-6) bar += 1;
        return bar;
      }
      function now() {
        if (state !== "playing") return position;
        var heard = context.currentTime - startedAt - (context.outputLatency || 0);
        return Math.min(Math.max(heard, 0), song.seconds);
      }

      // Sound
      function show(next) {
        state = next;
        root.setAttribute("data-state", next);
        playButton.querySelector("span").textContent = next === "playing" ? "Pause" : next === "loading" ? "Loading" : "Play";
      }
      function decode(stem) {
        if (stem.buffer) return Promise.resolve();
        var text = atob(stem.element.getAttribute("src").split(",")[1]), bytes = new Uint8Array(text.length);
        for (var i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
        return new Promise(function (done, failed) {
          var promise = context.decodeAudioData(bytes.buffer, done, failed);
          if (promise && promise.catch) promise.catch(failed);
        }).then(function (buffer) {
          stem.buffer = buffer;
          // MP3 begins with 1,105 samples of silence. Most browsers take them away; where one did not, we skip them.
          stem.lead = buffer.duration - song.audio > 0.02 ? 1105 / song.rate : 0;
          stem.gain = context.createGain();
          stem.gain.gain.value = stem.muted ? 0 : 1;
          stem.gain.connect(context.destination);
        });
      }
      function play() {
        if (state === "playing" || state === "loading") return;
        document.dispatchEvent(new CustomEvent("drumlib-play", { detail: root }));
        var turn = ++generation;
        show("loading");
        find(".dlp-status").textContent = "";
        var ready;
        try {
          context = context || new (window.AudioContext || window.webkitAudioContext)();
          ready = Promise.all([context.resume()].concat(stems.map(decode)));
        } catch (error) {
          ready = Promise.reject(error);
        }
        ready.then(function () {
          if (turn !== generation) return;
          if (position >= song.seconds - 0.05) position = 0;
          var when = context.currentTime + 0.06;
          stems.forEach(function (stem) {
            stem.source = context.createBufferSource();
            stem.source.buffer = stem.buffer;
            stem.source.connect(stem.gain);
            stem.source.start(when, position + stem.lead);
            stem.when = when;
          });
          startedAt = when - position;
          show("playing");
          frame();
        }).catch(function () {
          if (turn !== generation) return;
          show("error");
          find(".dlp-status").textContent = "This browser cannot play the sound here; try the plain player below.";
          stems.forEach(function (stem) { stem.element.hidden = false; stem.element.controls = true; });
        });
      }
      function silence() {
        generation += 1;
        stems.forEach(function (stem) { if (stem.source) { stem.source.stop(); stem.source.disconnect(); stem.source = null; } });
      }
      function pause(at) {
        position = at === undefined ? now() : at;
        silence();
        show(position > 0 ? "paused" : "stopped");
        paint();
      }
      function seek(seconds) {
        var playing = state === "playing" || state === "loading";
        pause(Math.min(Math.max(seconds, 0), song.seconds));
        if (playing) play();
      }
      function toggle() { if (state === "playing" || state === "loading") pause(); else play(); }
      function frame() {
        if (state !== "playing") return;
        if (!root.isConnected) { silence(); state = "stopped"; return; }
        if (now() >= song.seconds) { pause(0); return; }
        paint();
        requestAnimationFrame(frame);
      }

      // Picture
      function readColours() {
        var style = getComputedStyle(root);
        ["ink", "soft-ink", "line", "bar", "row", "accent", "band", "head"].forEach(function (name) {
          colours[name] = style.getPropertyValue("--dlp-" + name).trim();
        });
        paint();
      }
      function loudness(velocity) { // 1 to 127, to a colour of the palette
        var place = Math.min(velocity / 127, 1) * (song.palette.length - 1), low = Math.min(Math.floor(place), song.palette.length - 2);
        var from = song.palette[low], to = song.palette[low + 1], part = place - low;
        return "rgb(" + from.map(function (c, i) { return Math.round(c + (to[i] - c) * part); }).join() + ")";
      }
      function measure() {
        var width = canvas.clientWidth || 600, narrow = width < 480, ratio = window.devicePixelRatio || 1;
        shape = { width: width, left: narrow ? 62 : 88, right: width - 6, top: 20, lane: 11, row: narrow ? 19 : 20, narrow: narrow };
        shape.drums = shape.top + song.band.length * shape.lane + (song.band.length ? 7 : 0);
        shape.bottom = shape.drums + song.drums.length * shape.row;
        shape.height = shape.bottom + 22;
        var room = Math.floor((shape.right - shape.left) / (narrow ? 190 : 270));
        shape.bars = room >= 4 ? 4 : room >= 2 ? 2 : 1;
        canvas.style.height = shape.height + "px";
        if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(shape.height * ratio)) {
          canvas.width = Math.round(width * ratio);
          canvas.height = Math.round(shape.height * ratio);
        }
        draw2d.setTransform(ratio, 0, 0, ratio, 0, 0);
      }
      function place(step) { return shape.left + (step - page.from) * (shape.right - shape.left) / (page.to - page.from); }
      function line(x, top, bottom, colour, width) { draw2d.fillStyle = colour; draw2d.fillRect(x - width / 2, top, width, bottom - top); }
      function box(x, y, width, height, radius) {
        draw2d.beginPath();
        if (draw2d.roundRect) draw2d.roundRect(x, y, width, height, radius); else draw2d.rect(x, y, width, height);
        draw2d.fill();
      }
      function paint() {
        measure();
        var seconds = now(), step = stepAt(seconds), last = song.bars.length - 1;
        var first = Math.floor(barAt(step) / shape.bars) * shape.bars;
        page = { first: first, end: Math.min(first + shape.bars, last) };
        page.from = song.bars[page.first];
        // The last page may have fewer bars: they keep the width that bars have on the other pages.
        page.to = page.end - page.first < shape.bars && first > 0 ? page.from + song.bars[first] - song.bars[first - shape.bars] : song.bars[page.end];
        var d = draw2d, s = shape, shown = song.bars[page.end], stepWidth = (s.right - s.left) / (page.to - page.from);
        d.clearRect(0, 0, s.width, s.height);
        d.font = "11px system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif";
        d.textBaseline = "middle";
        song.drums.forEach(function (name, i) {
          var y = s.bottom - (i + 1) * s.row;
          if (i % 2) { d.fillStyle = colours.row; d.fillRect(s.left, y, s.right - s.left, s.row); }
          d.fillStyle = colours["soft-ink"]; d.textAlign = "right";
          d.fillText(s.narrow ? song.short[i] : name, s.left - 8, y + s.row / 2);
        });
        for (var x = page.from; x < shown - 1e-6; x += 1) line(place(x), s.drums, s.bottom, colours.line, 1);
        song.x.forEach(function (x) { if (x >= page.from && x < shown) line(place(x), s.drums, s.bottom, colours.line, 2); });
        d.textAlign = "left";
        for (var bar = page.first; bar <= page.end; bar++) {
          line(place(song.bars[bar]), s.top - 4, s.bottom, colours.bar, 1.2);
          if (bar < page.end) { d.fillStyle = colours["soft-ink"]; d.fillText((s.narrow ? "" : "bar ") + (song.number + bar), place(song.bars[bar]) + 4, 9); }
        }
        song.band.forEach(function (lane, i) {
          var y = s.top + i * s.lane;
          d.fillStyle = colours["soft-ink"]; d.textAlign = "right"; d.fillText(lane[0], s.left - 8, y + s.lane / 2);
          d.fillStyle = colours.band;
          for (var x = Math.ceil(page.from); x < shown; x++) {
            var notes = +lane[1][x];
            if (notes) { d.globalAlpha = 0.3 + 0.7 * notes / 9; d.fillRect(place(x), y + 2, stepWidth + 0.3, s.lane - 4); }
          }
          d.globalAlpha = 1;
        });
        for (var i = 0; i < song.notes.length; i += 4) {
          var at = song.notes[i] / 100, drum = song.notes[i + 1], velocity = song.notes[i + 2], offset = song.notes[i + 3] / 100;
          var onGrid = at - offset;
          if (onGrid < page.from - 0.02 || onGrid > shown - 0.02) continue;
          var middle = s.bottom - (drum + 0.5) * s.row, tall = s.row * (0.34 + 0.52 * velocity / 127), wide = Math.max(4, Math.min(stepWidth * 0.62, 13));
          if (Math.abs(offset) > 0.005) line(place(onGrid), middle - s.row * 0.42, middle + s.row * 0.42, colours.bar, 1.4);
          var lit = state === "playing" && step >= at && step < at + 0.8;
          d.fillStyle = loudness(velocity);
          box(place(at), middle - tall / 2, wide, tall, 2.5);
          if (lit) { d.strokeStyle = colours.ink; d.lineWidth = 1.5; d.stroke(); }
        }
        var scale = (s.right - s.left) / song.seconds, y = s.bottom + 12; // the whole song, below; this page marked
        d.fillStyle = colours.line; box(s.left, y, s.right - s.left, 5, 2.5);
        d.fillStyle = colours.bar; box(s.left + secondsAt(page.from) * scale, y, (secondsAt(shown) - secondsAt(page.from)) * scale, 5, 2.5);
        d.fillStyle = colours.head; d.beginPath(); d.arc(s.left + seconds * scale, y + 2.5, 4.5, 0, 7); d.fill();
        var head = place(Math.min(Math.max(step, page.from), shown));
        line(head, s.top - 6, s.bottom, colours.head, 2);
        d.beginPath(); d.moveTo(head - 5, s.top - 9); d.lineTo(head + 5, s.top - 9); d.lineTo(head, s.top - 3); d.fill();
        tell(seconds, step);
      }
      function clock(seconds) { return Math.floor(seconds / 60) + ":" + ("0" + Math.floor(seconds % 60)).slice(-2); }
      function set(element, name, value) { if (element.getAttribute(name) !== value) element.setAttribute(name, value); }
      function tell(seconds, step) {
        root.setAttribute("data-position", seconds.toFixed(3));
        var time = clock(seconds) + " / " + clock(song.seconds), element = find(".dlp-time");
        if (element.textContent !== time) element.textContent = time;
        var bar = barAt(step);
        set(canvas, "aria-valuenow", seconds.toFixed(0));
        set(canvas, "aria-valuetext", "bar " + (song.number + bar) + " of " + (song.number + song.bars.length - 2) + ", " + clock(seconds));
      }

      // Hands
      playButton.addEventListener("click", toggle);
      find(".dlp-restart").addEventListener("click", function () { seek(0); });
      Array.prototype.forEach.call(root.querySelectorAll(".dlp-mute"), function (button) {
        button.addEventListener("click", function () {
          var stem = stems.filter(function (s) { return s.name === button.getAttribute("data-mutes"); })[0];
          stem.muted = !stem.muted;
          button.setAttribute("aria-pressed", String(stem.muted));
          if (stem.gain) stem.gain.gain.setTargetAtTime(stem.muted ? 0 : 1, context.currentTime, 0.01);
        });
      });
      canvas.addEventListener("click", function (event) {
        var inside = canvas.getBoundingClientRect(), x = event.clientX - inside.left, y = event.clientY - inside.top;
        var part = Math.min(Math.max((x - shape.left) / (shape.right - shape.left), 0), 1);
        seek(y > shape.bottom + 4 ? part * song.seconds : secondsAt(Math.min(page.from + part * (page.to - page.from), song.bars[page.end])));
      });
      canvas.addEventListener("keydown", function (event) {
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        var step = stepAt(now()), bar = barAt(step), last = song.bars.length - 2, to = null;
        if (event.key === "ArrowRight" || event.key === "ArrowUp") to = secondsAt(step + 4);
        else if (event.key === "ArrowLeft" || event.key === "ArrowDown") to = secondsAt(step - 4);
        else if (event.key === "PageDown") to = secondsAt(song.bars[Math.max(step - song.bars[bar] > 2 ? bar : bar - 1, 0)]);
        else if (event.key === "PageUp") to = secondsAt(song.bars[Math.min(bar + 1, last)]);
        else if (event.key === "Home") to = 0;
        else if (event.key === "End") to = secondsAt(song.bars[last]);
        else if (event.key !== " " && event.key !== "Enter") return;
        event.preventDefault();
        event.stopPropagation();
        if (to === null) { if (!event.repeat) toggle(); } else seek(to);
      });
      document.addEventListener("drumlib-play", function (event) {
        if (event.detail !== root && (state === "playing" || state === "loading")) pause();
      });
      if (window.ResizeObserver) new ResizeObserver(paint).observe(root); else window.addEventListener("resize", paint);
      var watch = new MutationObserver(readColours);
      [document.documentElement, document.body].forEach(function (element) {
        watch.observe(element, { attributes: true, attributeFilter: ["data-theme", "theme", "data-jp-theme-light", "class"] });
      });
      var dark = window.matchMedia("(prefers-color-scheme: dark)");
      if (dark.addEventListener) dark.addEventListener("change", readColours);
      root.drumlib = { stems: stems, song: song, seek: seek }; // for tests, and for the curious
      show("stopped");
      readColours();
    }

    return function () { scan(0); };
  }
})();
