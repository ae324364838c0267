// The listening test in a page. It draws the pairs, plays them, keeps the answers in this browser and counts them.
// It needs no network and no kernel: all sound stands in the page itself, and nothing is sent anywhere.
(function () {
  "use strict";
  var NAME = "drumlibBlind_{{version}}";
  if (!window[NAME]) window[NAME] = define();
  window[NAME]();

  function define() {
    var context = null; // one for the page, made when a reader first presses play: browsers allow it only then
    var Z = 1.959964;

    function scan(tries) {
      var found = document.querySelectorAll(".drumlib-blind:not([data-ready])");
      for (var i = 0; i < found.length; i++) start(found[i]);
      // Some notebooks run an output's script just before they put the output into the page.
      if (!found.length && tries < 20) setTimeout(function () { scan(tries + 1); }, 50);
    }

    // Counting, as drumbook.listening_test does it
    function wilson(won, of) {
      if (!of) return [0, 1];
      var share = won / of, weight = Z * Z / of, middle = (share + weight / 2) / (1 + weight);
      var reach = Z * Math.sqrt(share * (1 - share) / of + weight / (4 * of)) / (1 + weight);
      return [Math.max(0, middle - reach), Math.min(1, middle + reach)];
    }
    function coin(won, of) { // the sign test; each term is made of the one before, so that no power of two overflows
      var log = 0, sum = 0, least = Math.max(won, of - won);
      for (var k = 0; k <= of; k++) {
        if (k >= least) sum += Math.exp(log - of * Math.LN2);
        log += Math.log((of - k) / (k + 1));
      }
      return Math.min(1, 2 * sum);
    }
    function about(answer, kind) {
      return (answer.a === kind[0] && answer.b === kind[1]) || (answer.a === kind[1] && answer.b === kind[0]);
    }
    function choice(answer) { return answer.answer === "none" ? null : answer[answer.answer]; }
    function tally(answers, kinds) {
      var rows = kinds.map(function (kind) {
        var row = { first: kind[0], second: kind[1], won: 0, lost: 0, undecided: 0 };
        answers.forEach(function (answer) {
          if (!about(answer, kind)) return;
          var who = choice(answer);
          row[who === kind[0] ? "won" : who === kind[1] ? "lost" : "undecided"] += 1;
        });
        return row;
      });
      var stars = kinds[0].filter(function (who) { return kinds.every(function (kind) { return kind.indexOf(who) >= 0; }); });
      if (kinds.length > 1 && stars.length) {
        var all = { first: stars[0], second: "all others", won: 0, lost: 0, undecided: 0 };
        rows.forEach(function (row) {
          var turned = row.first !== stars[0];
          all.won += turned ? row.lost : row.won;
          all.lost += turned ? row.won : row.lost;
          all.undecided += row.undecided;
        });
        rows.push(all);
      }
      return rows;
    }

    // Luck: a small generator with a seed, for tests; the browser's own otherwise
    function luckOf(seed) {
      if (seed === null) {
        return function () {
          if (!window.crypto || !crypto.getRandomValues) return Math.random();
          return crypto.getRandomValues(new Uint32Array(1))[0] / 4294967296;
        };
      }
      var state = seed >>> 0;
      return function () { // mulberry32
        state = (state + 0x6D2B79F5) >>> 0;
        var t = Math.imul(state ^ (state >>> 15), state | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
      };
    }
    function shuffled(list, luck) {
      var out = list.slice();
      for (var i = out.length - 1; i > 0; i--) {
        var j = Math.floor(luck() * (i + 1)), kept = out[i];
        out[i] = out[j];
        out[j] = kept;
      }
      return out;
    }
    function drawn(test, luck) { // a sitting: [song, who is A, who is B], each kind as often as the others, or once more
      var pairs = [], kinds = [];
      while (kinds.length < test.pairs) kinds = kinds.concat(shuffled(test.kinds, luck));
      var songs = test.kinds.map(function () { return []; });
      kinds.slice(0, test.pairs).forEach(function (kind) {
        var i = test.kinds.indexOf(kind);
        if (!songs[i].length) songs[i] = shuffled(test.songs, luck); // no song twice before all were heard
        var sides = luck() < 0.5 ? kind : [kind[1], kind[0]];
        pairs.push([songs[i].pop(), sides[0], sides[1]]);
      });
      return shuffled(pairs, luck);
    }

    function start(root) {
      root.setAttribute("data-ready", "");
      var find = function (selector) { return root.querySelector(selector); };
      var each = function (selector, act) { Array.prototype.forEach.call(root.querySelectorAll(selector), act); };
      var test = JSON.parse(find(".dlb-data").textContent);
      var given = root.getAttribute("data-seed"), luck = luckOf(given === null ? null : Number(given));
      var KEY = "drumlib-blind-" + test.page;
      var kept = null; // what stays: { answers, sitting, plan }. The plan holds the pairs that are still to be heard.
      var keeps = true; // whether this browser keeps anything
      var sides = {}, side = "a", state = "stopped", position = 0, startedAt = 0, last = 0, heard, seconds = 0, turn = 0;
      var forgetting = 0, asked = false; // asked: the page has said "please hear"
      find(".dlb-noscript").hidden = true;
      find(".dlb-ui").hidden = false;

      // What stays in the browser. Some refuse: then it stays in the page, and the page says so.
      function read() {
        try {
          var text = window.localStorage.getItem(KEY), found = text && JSON.parse(text);
          if (found && sound(found)) return found;
        } catch (error) { /* refused, or nonsense: begin anew */ }
        return null;
      }
      function sound(found) {
        var known = function (song, a, b) {
          return test.songs.indexOf(song) >= 0 && test.kinds.some(function (kind) { return about({ a: a, b: b }, kind); });
        };
        return Number.isInteger(found.sitting) && found.sitting >= 1 && Array.isArray(found.plan) && Array.isArray(found.answers) &&
          found.plan.length <= test.pairs && found.plan.every(function (pair) { return Array.isArray(pair) && known(pair[0], pair[1], pair[2]); }) &&
          found.answers.every(function (one) {
            return one && known(one.song, one.a, one.b) && ["a", "b", "none"].indexOf(one.answer) >= 0 && Number.isInteger(one.sitting);
          });
      }
      function write() {
        try {
          window.localStorage.setItem(KEY, JSON.stringify(kept));
          keeps = true;
        } catch (error) { keeps = false; }
        find(".dlb-keeps").textContent = keeps
          ? "Your answers stay in this browser. Nothing is sent anywhere."
          : "Nothing is sent anywhere. This browser keeps nothing, either: your answers are gone when you leave the page.";
      }

      // Sound: A and B run side by side, and only one of them is let through. So a switch keeps the place in the song.
      function clipOf(drummer) {
        var song = kept.plan[0][0];
        return test.clips.filter(function (clip) { return clip.song === song && clip.drummer === drummer; })[0];
      }
      function decode(one) {
        if (one.buffer) return Promise.resolve();
        var text = atob(one.clip.mp3), bytes = new Uint8Array(text.length);
        for (var i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
        return new Promise(function (done, failed) {
          var promise = context.decodeAudioData(bytes.buffer, done, failed);
          if (promise && promise.catch) promise.catch(failed);
        }).then(function (buffer) {
          one.buffer = buffer;
          // MP3 begins with 1,105 samples of silence. Most browsers take them away; where one did not, we skip them.
          one.lead = buffer.duration - one.clip.seconds > 0.02 ? 1105 / test.rate : 0;
        });
      }
      function play() {
        if (state === "playing" || state === "loading" || !kept.plan.length) return;
        document.dispatchEvent(new CustomEvent("drumlib-play", { detail: root }));
        var mine = ++turn, two = [sides.a, sides.b], ready;
        show("loading");
        try {
          context = context || new (window.AudioContext || window.webkitAudioContext)();
          ready = Promise.all([context.resume()].concat(two.map(decode)));
        } catch (error) {
          ready = Promise.reject(error);
        }
        ready.then(function () {
          if (mine !== turn) return;
          if (position >= seconds - 0.05) position = 0;
          var when = context.currentTime + 0.06;
          two.forEach(function (one) {
            one.gain = context.createGain();
            one.gain.gain.value = one === sides[side] ? 1 : 0;
            one.gain.connect(context.destination);
            one.source = context.createBufferSource();
            one.source.buffer = one.buffer;
            one.source.connect(one.gain);
            one.source.start(when, position + one.lead);
          });
          startedAt = when - position;
          last = position;
          show("playing");
          frame();
        }).catch(function () {
          if (mine !== turn) return;
          show("error");
          say("This browser cannot play the sound here.");
        });
      }
      function now() {
        if (state !== "playing") return position;
        return Math.min(Math.max(context.currentTime - startedAt - (context.outputLatency || 0), 0), seconds);
      }
      function listen() { // adds to what was heard of the side that is on
        var at = now();
        if (state === "playing" && at > last) heard[side] += at - last;
        last = at;
        var both = heard.a >= test.hear && heard.b >= test.hear;
        each(".dlb-answer", function (button) { button.setAttribute("aria-disabled", String(!both)); });
        if (both && asked) { say("You have heard both."); asked = false; }
        return both;
      }
      function silence() {
        turn += 1;
        ["a", "b"].forEach(function (name) {
          var one = sides[name];
          if (one && one.source) { one.source.stop(); one.source.disconnect(); one.gain.disconnect(); one.source = null; }
        });
      }
      function pause(at) {
        listen();
        position = at === undefined ? now() : at;
        silence();
        show(position > 0 ? "paused" : "stopped");
        tell();
      }
      function seek(to) {
        var playing = state === "playing" || state === "loading";
        pause(Math.min(Math.max(to, 0), seconds));
        if (playing) play();
      }
      function hear(name) {
        if (state === "playing") listen();
        side = name;
        each(".dlb-hear", function (button) { button.setAttribute("aria-pressed", String(button.getAttribute("data-side") === name)); });
        if (state !== "playing") return;
        ["a", "b"].forEach(function (one) {
          sides[one].gain.gain.setTargetAtTime(one === name ? 1 : 0, context.currentTime, 0.008);
        });
      }
      function frame() {
        if (state !== "playing") return;
        if (!root.isConnected) { silence(); state = "stopped"; return; }
        if (now() >= seconds) { pause(0); return; }
        listen();
        tell();
        requestAnimationFrame(frame);
      }

      // What is seen
      function say(text) { find(".dlb-status").textContent = text; }
      function show(next) {
        state = next;
        root.setAttribute("data-state", next);
        find(".dlb-play span").textContent = next === "playing" ? "Pause" : next === "loading" ? "Loading" : "Play";
      }
      function clock(time) { return Math.floor(time / 60) + ":" + ("0" + Math.floor(time % 60)).slice(-2); }
      function tell() {
        var at = now(), slider = find(".dlb-position"), time = clock(at) + " / " + clock(seconds);
        root.setAttribute("data-position", at.toFixed(3));
        slider.value = at.toFixed(1);
        slider.style.setProperty("--dlb-part", (seconds ? 100 * at / seconds : 0).toFixed(2) + "%");
        slider.setAttribute("aria-valuetext", clock(at) + " of " + clock(seconds));
        if (find(".dlb-time").textContent !== time) find(".dlb-time").textContent = time;
      }
      function element(tag, name, text) {
        var made = document.createElement(tag);
        if (name) made.className = name;
        if (text !== undefined) made.textContent = text; // never HTML: names come from files
        return made;
      }
      function lay(focus) { // the next pair, or the result
        silence();
        position = 0;
        heard = { a: 0, b: 0 };
        last = 0;
        show("stopped");
        var over = !kept.plan.length;
        root.setAttribute("data-answers", kept.answers.length);
        find(".dlb-pair").hidden = over;
        find(".dlb-result").hidden = !over;
        find(".dlb-save").hidden = !kept.answers.length;
        find(".dlb-again").textContent = over ? "Another sitting" : "Start again";
        if (over) {
          result();
          if (focus) find(".dlb-heading").focus();
          return;
        }
        var number = test.pairs - kept.plan.length + 1, pair = kept.plan[0];
        sides = { a: { clip: clipOf(pair[1]) }, b: { clip: clipOf(pair[2]) } };
        seconds = sides.a.clip.seconds;
        find(".dlb-position").max = seconds;
        find(".dlb-which").textContent = "Pair " + number + " of " + test.pairs;
        var dots = find(".dlb-dots");
        dots.textContent = "";
        if (test.pairs <= 40) for (var i = 1; i <= test.pairs; i++) dots.appendChild(element("i", i < number ? "dlb-done" : i === number ? "dlb-now" : ""));
        hear("a");
        listen();
        tell();
        if (focus) find(".dlb-play").focus();
      }
      function percent(share) { return Math.round(100 * share) + "\u00a0%"; }
      function verdict(row) {
        var decided = row.won + row.lost, luck = coin(row.won, decided);
        if (!decided) return "No answer names one of the two.";
        if (coin(decided, decided) > 0.05) return "Too few answers: even if all agreed, chance could explain it.";
        var text = luck < 0.001 ? "less than 0.1" : (100 * luck).toFixed(luck < 0.1 ? 1 : 0);
        text = "A coin would be at least as one-sided in " + text + "\u00a0% of cases: ";
        return text + (luck <= 0.05 ? "chance does not explain this well." : "chance could explain it.");
      }
      function result() {
        var rows = tally(kept.answers, test.kinds), box = find(".dlb-rows"), answers = kept.answers.length;
        find(".dlb-count").textContent = answers + (answers === 1 ? " answer" : " answers") + ", " +
          kept.sitting + (kept.sitting === 1 ? " sitting" : " sittings") + " in this browser.";
        box.textContent = "";
        rows.forEach(function (row) {
          var decided = row.won + row.lost, ends = wilson(row.won, decided), line = element("div", "dlb-row");
          ["first", "second", "won", "lost", "undecided"].forEach(function (name) { line.setAttribute("data-" + name, row[name]); });
          line.setAttribute("data-low", ends[0].toFixed(6));
          line.setAttribute("data-high", ends[1].toFixed(6));
          line.setAttribute("data-chance", coin(row.won, decided).toFixed(6));
          var versus = element("p", "dlb-versus");
          versus.appendChild(element("span", "", row.first));
          versus.appendChild(element("span", "dlb-or", " or "));
          versus.appendChild(element("span", "", row.second));
          line.appendChild(versus);
          var bar = element("div", "dlb-bar"), reach = element("i");
          bar.setAttribute("aria-hidden", "true");
          reach.style.left = 100 * (1 - ends[1]) + "%"; // the nearer to a name, the more it was preferred
          reach.style.width = 100 * (ends[1] - ends[0]) + "%";
          bar.appendChild(reach);
          if (decided) {
            var dot = element("b");
            dot.style.left = 100 * row.lost / decided + "%";
            bar.appendChild(dot);
          }
          line.appendChild(bar);
          var counts = "Preferred: " + row.first + " " + row.won + ", " + row.second + " " + row.lost + ", can’t tell " + row.undecided + ". ";
          if (decided) counts += "That is " + percent(row.won / decided) + " for " + row.first + " (" + percent(ends[0]) + " to " + percent(ends[1]) + "). ";
          line.appendChild(element("p", "dlb-counts", counts + verdict(row)));
          box.appendChild(line);
        });
      }

      // Hands
      function sit(number, answers) {
        kept = { answers: answers, sitting: number, plan: drawn(test, luck) };
        write();
      }
      function calm() { forgetting = 0; find(".dlb-forget").textContent = "Forget all"; }
      find(".dlb-play").addEventListener("click", function () { if (state === "playing" || state === "loading") pause(); else play(); });
      find(".dlb-position").addEventListener("input", function () { seek(Number(this.value)); });
      each(".dlb-hear", function (button) {
        button.addEventListener("click", function () {
          hear(button.getAttribute("data-side"));
          play();
        });
      });
      each(".dlb-answer", function (button) {
        button.addEventListener("click", function () {
          if (!listen()) {
            var unheard = ["a", "b"].filter(function (name) { return heard[name] < test.hear; });
            asked = true;
            say("Please hear " + (unheard.length > 1 ? "both" : unheard[0].toUpperCase() + ", too,") + " before you answer.");
            return;
          }
          var pair = kept.plan.shift();
          kept.answers.push({ sitting: kept.sitting, song: pair[0], a: pair[1], b: pair[2], answer: button.getAttribute("data-answer") });
          write();
          calm();
          lay(true);
          say(kept.plan.length ? "Noted. Pair " + (test.pairs - kept.plan.length + 1) + " of " + test.pairs + "." : "Noted. That was the last pair.");
        });
      });
      find(".dlb-again").addEventListener("click", function () {
        var mine = kept.answers.some(function (one) { return one.sitting === kept.sitting; });
        sit(kept.sitting + (mine ? 1 : 0), kept.answers);
        calm();
        lay(true);
        say("New pairs are drawn." + (kept.answers.length ? " What you answered before still counts." : ""));
      });
      find(".dlb-forget").addEventListener("click", function () {
        if (!forgetting) {
          forgetting = 1;
          this.textContent = "Really forget?";
          say("Press again to forget all your answers.");
          return;
        }
        try { window.localStorage.removeItem(KEY); } catch (error) { /* nothing was kept */ }
        kept = { answers: [], sitting: 1, plan: drawn(test, luck) }; // kept in the page only, until there is an answer
        calm();
        lay(true);
        say("All your answers are forgotten.");
      });
      find(".dlb-forget").addEventListener("blur", calm);
      find(".dlb-save").addEventListener("click", function () {
        var said = { what: test.what, version: test.version, page: test.page, kinds: test.kinds, answers: kept.answers };
        var link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([JSON.stringify(said, null, 1) + "\n"], { type: "application/json" }));
        link.download = "answers.json";
        root.appendChild(link);
        link.click();
        link.remove();
        setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
        say("Saved as answers.json. It holds your answers, and nothing about you.");
      });
      root.addEventListener("keydown", function (event) {
        if (event.altKey || event.ctrlKey || event.metaKey || !kept.plan.length) return;
        var name = event.key.toLowerCase();
        if (name !== "a" && name !== "b") return;
        event.preventDefault();
        event.stopPropagation();
        hear(name);
      });
      document.addEventListener("drumlib-play", function (event) {
        if (event.detail !== root && (state === "playing" || state === "loading")) pause();
      });

      // Another tab with this test: what is answered there counts here, and no pair is asked twice.
      window.addEventListener("storage", function (event) {
        if (!root.isConnected || (event.key !== KEY && event.key !== null)) return; // a null key: all was forgotten
        kept = read() || { answers: [], sitting: 1, plan: drawn(test, luck) };
        calm();
        lay(false);
        say("Your answers in another tab count here, too.");
      });

      kept = read();
      if (kept) write(); else sit(1, []);
      root.drumlib = { test: test, kept: function () { return kept; }, sides: function () { return sides; }, wilson: wilson, coin: coin }; // for tests
      lay(false);
    }

    return function () { scan(0); };
  }
})();
