// The player in a page. This code comes with every player; the first one defines it, the others find it there.
// A player needs no network and no kernel: its sound and its notes stand in its own HTML.
(function () {
  "use strict";
  var NAME = "drumlibPlayer_{{version}}";
  if (!window[NAME]) window[NAME] = define();
  window[NAME]();

  function define() {
    var context = null; // one for the page, made when a reader first presses play: browsers allow it only then

{{roll}}

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
      var playButton = find(".dlp-play");
      var stems = Array.prototype.map.call(root.querySelectorAll("audio[data-stem]"), function (element) {
        return { name: element.getAttribute("data-stem"), element: element, muted: false };
      });
      var state = "stopped", position = 0, startedAt = 0, generation = 0;
      stems.forEach(function (stem) { stem.element.controls = false; stem.element.hidden = true; });
      find(".dlp-ui").hidden = false;

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
        roll.paint();
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
        roll.paint();
        requestAnimationFrame(frame);
      }

      // Picture
      var LANE = 11, strokes = [];
      for (var i = 0; i < song.notes.length; i += 4) {
        var offset = song.notes[i + 3] / 100;
        strokes.push({ step: song.notes[i] / 100 - offset, offset: offset, drum: song.notes[i + 1], velocity: song.notes[i + 2] });
      }
      function paintBand(shown, stepWidth) {
        var d = roll.draw2d;
        song.band.forEach(function (lane, i) {
          var y = roll.shape().top + i * LANE;
          roll.label(lane[0], y + LANE / 2);
          d.fillStyle = roll.colours.band;
          for (var x = Math.ceil(roll.page().from); x < shown; x++) {
            var notes = +lane[1][x];
            if (notes) { d.globalAlpha = 0.3 + 0.7 * notes / 9; d.fillRect(roll.place(x), y + 2, stepWidth + 0.3, LANE - 4); }
          }
          d.globalAlpha = 1;
        });
      }
      var roll = rollOf(root, {
        name: "drumlib-summary", data: song, beats: song.x, time: ".dlp-time", summary: find(".dlp-summary"),
        now: now, playing: function () { return state === "playing"; }, strokes: function () { return strokes; },
        seek: seek, toggle: toggle, above: song.band.length ? song.band.length * LANE + 7 : 0, paintAbove: paintBand
      });

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
      document.addEventListener("drumlib-play", function (event) {
        if (event.detail !== root && (state === "playing" || state === "loading")) pause();
      });
      root.drumlib = { stems: stems, song: song, seek: seek }; // for tests, and for the curious
      show("stopped");
      roll.readColours();
    }

    return function () { scan(0); };
  }
})();
