// The stage in a page: takes to choose from by knobs, mixed from strokes and from one sample of each drum.
// This code comes with every stage; the first one defines it, the others find it there. No network, no kernel.
(function () {
  "use strict";
  var NAME = "drumlibStage_{{version}}";
  if (!window[NAME]) window[NAME] = define();
  window[NAME]();

  function define() {
    var context = null; // one for the page, made when a reader first presses play: browsers allow it only then
    var kits = {}, singles = {};
    var PATIENCE = 1500; // milliseconds
    var FADE = 0.004, TAIL = 1.5, CUT = 0.003, HATS = [2, 3];
    var SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

{{roll}}

    function scan(tries) {
      var found = document.querySelectorAll(".drumlib-stage:not([data-ready])");
      for (var i = 0; i < found.length; i++) start(found[i]);
      // Some notebooks run an output's script just before they put the output into the page.
      if (!found.length && tries < 20) setTimeout(function () { scan(tries + 1); }, 50);
    }

    // MP3 in base64, to samples at our own rate, whatever the machine's. Needs no reader's touch.
    function decode(text, rate, samples) {
      var raw = atob(text), bytes = new Uint8Array(raw.length);
      for (var i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
      var offline = new (window.OfflineAudioContext || window.webkitOfflineAudioContext)(1, 1, rate);
      return new Promise(function (done, failed) {
        var promise = offline.decodeAudioData(bytes.buffer, done, failed);
        if (promise && promise.catch) promise.catch(failed);
      }).then(function (buffer) {
        // MP3 begins with 1,105 samples of silence. Most browsers take them away; where one did not, we skip them.
        var lead = buffer.length - samples > 0.02 * rate ? 1105 : 0;
        return buffer.getChannelData(0).slice(lead, lead + samples);
      });
    }
    function kitOf(data, text) {
      var kit = data.kit;
      if (!kits[kit.name]) {
        kits[kit.name] = decode(text, data.rate, kit.all).then(function (all) {
          return kit.starts.map(function (from, i) {
            var one = all.slice(from, from + kit.lengths[i]);
            for (var k = 0; k < one.length; k++) one[k] *= kit.gains[i];
            return one;
          });
        });
      }
      return kits[kit.name];
    }

    function start(root) {
      root.setAttribute("data-ready", "");
      var find = function (selector) { return root.querySelector(selector); };
      var data = JSON.parse(find(".dls-data").textContent), seconds = data.seconds, rate = data.rate;
      var playButton = find(".dls-play"), loopButton = find(".dls-loop"), summary = find(".dls-summary");
      var knobs = Array.prototype.slice.call(root.querySelectorAll(".dls-knob"));
      var elements = Array.prototype.slice.call(root.querySelectorAll("audio[data-stem]"));
      var state = "stopped", position = 0, startedAt = 0, generation = 0, voice = null, looped = true, muted = {};
      var take = null, kit = null, stems = {}, edited = null;
      elements.forEach(function (element) { element.controls = false; element.hidden = true; });
      find(".dls-noscript").hidden = true;
      find(".dls-ui").hidden = false;

      // Takes
      function unpack(text) {
        var raw = atob(text), strokes = [];
        for (var i = 0; i + 3 < raw.length; i += 4) {
          var high = raw.charCodeAt(i) << 8 | raw.charCodeAt(i + 1);
          strokes.push({ step: high >> 4, drum: high & 15, velocity: raw.charCodeAt(i + 2), offset: (raw.charCodeAt(i + 3) - 50) / 100 });
        }
        return strokes;
      }
      function chosen() { // the number of the take that the knobs ask for
        return knobs.reduce(function (number, knob, i) { return number * data.knobs[i] + Number(knob.value); }, 0);
      }
      function choose() {
        var row = data.takes[chosen()], picture = row[2] < 0 ? null : data.pictures[row[2]];
        take = { strokes: edited || unpack(data.strokes[row[0]]), caption: data.captions[row[1]], stem: row[3], picture: null };
        if (picture) take.picture = { rows: picture[0], names: picture[1], cells: picture[2] };
        knobs.forEach(function (knob) {
          if (knob.tagName !== "INPUT") return;
          var text = JSON.parse(knob.getAttribute("data-texts"))[knob.value];
          knob.setAttribute("aria-valuetext", text);
          knob.parentNode.querySelector(".dls-value").textContent = text;
        });
        var caption = find(".dls-caption");
        if (caption.textContent !== take.caption) caption.textContent = take.caption;
        find(".dls-scale").hidden = !take.picture;
        describe();
      }
      function describe() {
        var counts = data.drums.map(function () { return 0; }), loud = [], lean = 0;
        take.strokes.forEach(function (s) { counts[s.drum] += 1; loud.push(s.velocity / 127); lean += s.offset; });
        var text = find(".dls-title").textContent.trim() + ". ";
        if (take.caption) text += take.caption + ". ";
        if (!loud.length) { summary.textContent = text + "There is no stroke in it."; return; }
        var percent = function (part) { return Math.round(100 * part) + "%"; };
        lean /= loud.length;
        text += "The drums play " + loud.length + " strokes: " + data.drums.map(function (name, i) { return name + " " + counts[i]; }).filter(function (_, i) { return counts[i]; }).join(", ");
        text += ". Their loudness goes from " + percent(Math.min.apply(null, loud)) + " to " + percent(Math.max.apply(null, loud)) + " of the loudest possible. On average they are ";
        text += Math.abs(lean) < 0.005 ? "on the grid." : Math.abs(lean).toFixed(2) + " sixteenths " + (lean > 0 ? "late." : "early.");
        if (take.picture) text += " Above the drums is a picture of " + take.picture.rows + " rows" + (take.picture.names.length ? ": " + take.picture.names.join(", ") : "") + ".";
        summary.textContent = text;
      }

      // When a stroke sounds
      function onset(stroke) { // an early stroke on the first step is before the beginning
        var step = stroke.step + stroke.offset;
        if (step < 0) return roll.between(step, data.x, data.t);
        return roll.between(stroke.step, data.x, data.t) + stroke.offset * stepLength(stroke.step);
      }
      function stepLength(step) {
        var i = 0;
        while (i + 2 < data.x.length && data.x[i + 1] <= step) i += 1;
        return (data.t[i + 1] - data.t[i]) / (data.x[i + 1] - data.x[i]);
      }
      function now() {
        if (state !== "playing") return position;
        var heard = Math.max(context.currentTime - startedAt - (context.outputLatency || 0), 0);
        return looped ? heard % seconds : Math.min(heard, seconds);
      }

      // Sound. A mix is a plain sum: each stroke adds its drum's sample, at its time, (velocity / 127) ** 2 as loud.
      function sounding() { // what is to be summed: samples, where, how loud, how many
        var list = [];
        if (!muted.drums) {
          take.strokes.forEach(function (s) {
            var loud = s.drum === data.kit.loud[0] && s.velocity >= data.kit.loud[1]; // such a snare has its own sample
            var sample = kit[loud ? data.drums.length : s.drum];
            list.push({ from: sample, at: onset(s) * rate, gain: Math.pow(s.velocity / 127, 2), drum: s.drum, length: sample.length });
          });
          list.sort(function (a, b) { return a.at - b.at || a.drum - b.drum; });
          // Either hi-hat ends what still rings of both.
          var hats = list.filter(function (one) { return HATS.indexOf(one.drum) >= 0; });
          hats.forEach(function (one, i) {
            var later = hats[i + 1];
            var next = later ? later.at : looped ? hats[0].at + seconds * rate : Infinity;
            one.length = Math.min(one.length, Math.round(next - one.at + CUT * rate));
          });
        }
        if (!muted.stems) {
          Object.keys(stems).forEach(function (name) {
            if (take.stem === null || take.stem === name) list.push({ from: stems[name], at: 0, gain: 1, length: stems[name].length });
          });
        }
        return list;
      }
      function add(out, one, at, wrap) { // in stretches without a question in them: this is where the time goes
        var from = one.from, gain = one.gain, n = out.length, done = 0, k;
        if (one.length < from.length) { // cut short: it fades
          var fade = Math.round(CUT * rate);
          from = from.slice(0, one.length);
          for (k = 1; k <= fade && k <= one.length; k++) from[one.length - k] *= k / fade;
        }
        var to = wrap ? ((Math.round(at) % n) + n) % n : Math.round(at);
        while (done < one.length) {
          var room = Math.min(one.length - done, n - to);
          for (k = 0; k < room; k++) out[to + k] += gain * from[done + k];
          if (!wrap) return;
          done += room;
          to = 0;
        }
      }
      function limit(parts) { // turned down as a whole, where it would be too loud
        var peak = 0, i;
        parts.forEach(function (out) { for (i = 0; i < out.length; i++) peak = Math.max(peak, Math.abs(out[i])); });
        if (peak > data.ceiling) parts.forEach(function (out) { for (i = 0; i < out.length; i++) out[i] *= data.ceiling / peak; });
      }
      function mixOnce() { // from the beginning to the end, and until it has died away
        var list = sounding(), out = new Float32Array(Math.round((seconds + TAIL) * rate)), fade = Math.round(0.1 * rate);
        list.forEach(function (one) { add(out, one, Math.max(one.at, 0), false); });
        for (var i = 0; i < fade; i++) out[out.length - 1 - i] *= i / fade;
        limit([out]);
        return out;
      }
      function mixLoop() { // the first time round, and every other time: what rings at the end rings over the beginning
        var list = sounding(), n = Math.round(seconds * rate), first = new Float32Array(n), rest = new Float32Array(n);
        list.forEach(function (one) {
          add(first, one, Math.max(one.at, 0), false);
          if (one.at < 0) add(first, one, one.at + n, false);
          add(rest, one, one.at, true);
        });
        limit([first, rest]);
        return { first: first, rest: rest };
      }
      function load() {
        var all = [kitOf(data, find(".dls-kit").textContent).then(function (drums) { kit = drums; })];
        elements.forEach(function (element) {
          var name = element.getAttribute("data-stem");
          if (!stems[name]) all.push(decode(element.getAttribute("src").split(",")[1], rate, data.audio[name]).then(function (one) { stems[name] = one; }));
        });
        return Promise.all(all);
      }
      root.drumlibAudio = function () { // what would be heard now: one round of the loop, or the whole with its end
        return load().then(function () { return looped ? mixLoop().rest : mixOnce(); });
      };

      function show(next) {
        state = next;
        root.setAttribute("data-state", next);
        playButton.querySelector("span").textContent = next === "playing" ? "Pause" : next === "loading" ? "Loading" : "Play";
      }
      // What is to sound, as a buffer: the first time round, then the others.
      function prepared() {
        var mix = looped ? mixLoop() : { first: mixOnce(), rest: new Float32Array(0) }, n = mix.first.length;
        var buffer = context.createBuffer(1, n + mix.rest.length, rate), samples = buffer.getChannelData(0);
        samples.set(mix.first, 0);
        samples.set(mix.rest, n);
        return { buffer: buffer, again: looped ? n / rate : 0 };
      }
      // Begins to sound at the context's time `when`, from `at` seconds on, and fades out what sounded before.
      function sound(ready, when, at, again) {
        var before = voice;
        voice = { source: context.createBufferSource(), gain: context.createGain() };
        voice.source.buffer = ready.buffer;
        if (ready.again) { voice.source.loop = true; voice.source.loopStart = ready.again; voice.source.loopEnd = 2 * ready.again; }
        voice.source.connect(voice.gain);
        voice.gain.connect(context.destination);
        voice.gain.gain.value = before ? 0 : 1;
        if (before) voice.gain.gain.setTargetAtTime(1, when, FADE);
        voice.source.start(when, at + (again ? ready.again : 0));
        end(before, when);
      }
      function end(one, when) {
        if (!one) return;
        one.gain.gain.setTargetAtTime(0, when, FADE);
        one.source.stop(when + 8 * FADE);
        one.source.onended = function () { one.gain.disconnect(); };
      }
      function play() {
        if (state === "playing" || state === "loading") return;
        document.dispatchEvent(new CustomEvent("drumlib-play", { detail: root }));
        var turn = ++generation, ready;
        show("loading");
        find(".dls-status").textContent = "";
        try {
          context = context || new (window.AudioContext || window.webkitAudioContext)();
          ready = Promise.all([context.resume(), load()]);
        } catch (error) {
          ready = Promise.reject(error);
        }
        ready.then(function () {
          if (turn !== generation) return;
          if (position >= seconds - 0.01) position = 0;
          var mixed = prepared(), when = context.currentTime + 0.06;
          sound(mixed, when, position, position > 0.01);
          startedAt = when - position;
          show("playing");
          frame();
        }).catch(function () {
          if (turn !== generation) return;
          show("error");
          find(".dls-status").textContent = "This browser cannot play the sound here.";
        });
      }
      function change() { // another take, or other strokes: the music goes on in time
        if (state === "playing") {
          var mixed = prepared(), when = context.currentTime + 0.03; // in this order: to mix takes time
          var at = Math.max(when - startedAt, 0);
          if (looped) sound(mixed, when, at % seconds, at >= seconds);
          else sound(mixed, when, at, false);
        }
        roll.paint();
      }
      function silence() {
        generation += 1;
        if (voice) end(voice, context.currentTime);
        voice = null;
      }
      function pause(at) {
        position = at === undefined ? now() : at;
        silence();
        show(position > 0 ? "paused" : "stopped");
        roll.paint();
      }
      function seek(time) {
        var playing = state === "playing" || state === "loading";
        pause(Math.min(Math.max(time, 0), seconds));
        if (playing) play();
      }
      function toggle() { if (state === "playing" || state === "loading") pause(); else play(); }
      function frame() {
        if (state !== "playing") return;
        if (!root.isConnected) { lost(); return; }
        if (!looped && now() >= seconds) {
          // The last strokes ring on: only the playhead goes back.
          voice = null;
          pause(0);
          return;
        }
        roll.paint();
        requestAnimationFrame(frame);
      }

      // With a kernel, each turn of a knob makes a new stage of one take in the place of the one before. While that one
      // plays, the new one goes on with its music. Whoever is not followed for a while falls silent.
      var lostAt = null, single = knobs.length || root.getAttribute("data-kind") !== "stage" ? null : root.getAttribute("aria-label");
      function lost() {
        if (lostAt === null) lostAt = Date.now();
        if (single !== null && Date.now() - lostAt < PATIENCE) { setTimeout(frame, 50); return; }
        position = now();
        silence();
        show("paused");
        lostAt = null;
      }
      function leave() {
        if (state !== "playing") return null;
        var left = { voice: voice, startedAt: startedAt, looped: looped, muted: muted, seconds: seconds };
        show("stopped");
        voice = null;
        return left;
      }
      function follow(before, tries) {
        if (state !== "stopped") return;
        if (before.root.isConnected) { if (tries) setTimeout(function () { follow(before, tries - 1); }, 50); return; }
        var left = before.leave();
        if (!left) return;
        voice = left.voice;
        startedAt = left.startedAt;
        looped = left.looped;
        muted = left.muted;
        loopButton.setAttribute("aria-pressed", String(looped));
        if (left.seconds !== seconds) { position = 0; silence(); play(); return; }
        show("playing");
        load().then(function () { if (state === "playing") change(); });
        frame();
      }

      // Picture
      function heat(part) { return "rgba(" + roll.shade(part).join() + "," + Math.min(1, part * 1.6).toFixed(3) + ")"; }
      var tallest = data.pictures.reduce(function (most, picture) { return Math.max(most, picture[0]); }, 0);
      var cell = tallest ? Math.min(Math.max(150 / tallest, 2), 15) : 0; // a row of the picture
      function fitted(name) {
        while (name.length > 2 && roll.draw2d.measureText(name).width > roll.shape().left - 10) name = name.slice(0, -2) + "…";
        return name;
      }
      function paintPicture(shown, stepWidth) {
        var d = roll.draw2d, picture = take.picture, from = Math.ceil(roll.page().from);
        if (!picture) return;
        var top = roll.shape().drums - 10 - picture.rows * cell;
        var every = Math.ceil(11 / cell); // where rows are low, not all names have room
        for (var r = 0; r < picture.rows; r++) {
          var y = top + r * cell;
          if (picture.names.length && r % every === 0) roll.label(fitted(picture.names[r]), y + Math.max(cell, 11) / 2);
          for (var x = from; x < shown; x++) {
            var level = SIGNS.indexOf(picture.cells[r * data.steps + x]);
            if (level > 0) { d.fillStyle = heat(level / (SIGNS.length - 1)); d.fillRect(roll.place(x), y, stepWidth + 0.3, cell > 5 ? cell - 1 : cell); }
          }
        }
      }
      var beats = [];
      for (var bar = 0; bar + 1 < data.bars.length; bar++) for (var x = data.bars[bar]; x < data.bars[bar + 1]; x += 4) beats.push(x);
      var roll = rollOf(root, {
        name: "drumlib-stage", data: data, beats: beats, time: ".dls-time", summary: summary,
        now: now, playing: function () { return state === "playing"; }, strokes: function () { return take.strokes; },
        seek: seek, toggle: toggle, above: tallest ? Math.ceil(tallest * cell) + 10 : 0, paintAbove: paintPicture,
        names: [].concat.apply([], data.pictures.map(function (picture) { return picture[1]; })),
        bar: function () { return root.drumlibPage; }, painted: function () { if (root.drumlibPainted) root.drumlibPainted(); }
      });
      find(".dls-scale i").style.background = "linear-gradient(to right, " + [0, 0.25, 0.5, 0.75, 1].map(heat).join() + ")";

      // Hands
      playButton.addEventListener("click", toggle);
      find(".dls-restart").addEventListener("click", function () { seek(0); });
      loopButton.addEventListener("click", function () {
        position = now();
        looped = !looped;
        loopButton.setAttribute("aria-pressed", String(looped));
        if (state === "playing") { startedAt = context.currentTime - (context.outputLatency || 0) - position; change(); }
      });
      knobs.forEach(function (knob) {
        ["input", "change"].forEach(function (name) {
          knob.addEventListener(name, function () { if (chosen() !== take.number) { choose(); change(); take.number = chosen(); } });
        });
        knob.addEventListener("keydown", function (event) { event.stopPropagation(); });
      });
      Array.prototype.forEach.call(root.querySelectorAll(".dls-mute"), function (button) {
        button.addEventListener("click", function () {
          var what = button.getAttribute("data-mutes");
          muted[what] = !muted[what];
          button.setAttribute("aria-pressed", String(muted[what]));
          change();
        });
      });
      document.addEventListener("drumlib-play", function (event) {
        if (event.detail !== root && (state === "playing" || state === "loading")) pause();
      });
      knobs.forEach(function (knob) { // a browser that reloads a page may keep where its sliders were
        if (knob.tagName === "INPUT") knob.value = knob.getAttribute("value");
        else knob.value = knob.querySelector("[selected]").value;
      });
      root.drumlib = { // for the sequencer, for tests, and for the curious
        data: data,
        seek: seek,
        paint: roll.paint,
        shape: roll.shape,
        page: roll.page,
        strokes: function () { return take.strokes; },
        edit: function (strokes) { edited = strokes; choose(); change(); }
      };
      choose();
      take.number = chosen();
      show("stopped");
      roll.readColours();
      if (single !== null) {
        var before = singles[single];
        singles[single] = { root: root, leave: leave };
        if (before) follow(before, 20);
      }
    }

    return function () { scan(0); };
  }
})();
