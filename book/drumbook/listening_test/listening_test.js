// The listening test: chooses pairs at random, plays them, keeps the answers in this browser and counts them.
// It needs no network and no kernel: all sound stands in the page itself, and nothing is sent anywhere.
(function (drumlib) {
  "use strict";

  const SIDES = ["a", "b"];
  const SWITCH_FADE = 0.008; // seconds
  const MOST_DOTS = 40;
  const { rollLayout, statistics } = drumlib;

  // Pure functions: the random pairs, the check of a stored session, the tally

  // The pairs of a sitting, as [song, drummer A, drummer B], in random order: each kind as often as the others or once
  // more, and no song of a kind twice before all were heard.
  function samplePairs(test, random) {
    let kinds = [];
    while (kinds.length < test.pairs) kinds = kinds.concat(statistics.shuffled(test.kinds, random));
    const songs = test.kinds.map(() => []);
    const pairs = kinds.slice(0, test.pairs).map((kind) => {
      const i = test.kinds.indexOf(kind);
      if (!songs[i].length) songs[i] = statistics.shuffled(test.songs, random);
      const [a, b] = random() < 0.5 ? kind : [kind[1], kind[0]];
      return [songs[i].pop(), a, b];
    });
    return statistics.shuffled(pairs, random);
  }

  function isKind(kind, a, b) {
    return (kind[0] === a && kind[1] === b) || (kind[0] === b && kind[1] === a);
  }

  // Whether a value from the browser's storage, which may hold anything, is a session of this test.
  function isSession(value, test) {
    const known = (song, a, b) => test.songs.includes(song) && test.kinds.some((kind) => isKind(kind, a, b));
    const isPair = (pair) => Array.isArray(pair) && known(pair[0], pair[1], pair[2]);
    const isAnswer = (one) => Boolean(one) && known(one.song, one.a, one.b) &&
      ["a", "b", "none"].includes(one.answer) && Number.isInteger(one.sitting);
    return Boolean(value) && Number.isInteger(value.sitting) && value.sitting >= 1 &&
      Array.isArray(value.plan) && value.plan.length <= test.pairs && value.plan.every(isPair) &&
      Array.isArray(value.answers) && value.answers.every(isAnswer);
  }

  // The answers counted, as `tally` in answers.py does it.
  function tally(answers, kinds) {
    const rows = kinds.map(([first, second]) => {
      const row = { first, second, won: 0, lost: 0, undecided: 0 };
      for (const { a, b, answer } of answers) {
        if (!isKind([first, second], a, b)) continue;
        const preferred = { a, b }[answer];
        row[preferred === first ? "won" : preferred === second ? "lost" : "undecided"] += 1;
      }
      return row;
    });
    const common = kinds[0].find((drummer) => kinds.every((kind) => kind.includes(drummer)));
    if (kinds.length < 2 || common === undefined) return rows;
    const all = { first: common, second: "all others", won: 0, lost: 0, undecided: 0 };
    for (const row of rows) {
      const [won, lost] = row.first === common ? [row.won, row.lost] : [row.lost, row.won];
      all.won += won;
      all.lost += lost;
      all.undecided += row.undecided;
    }
    return [...rows, all];
  }

  function counted(number, noun) { // 1 answer, 2 answers
    return `${number} ${noun}${number === 1 ? "" : "s"}`;
  }

  function percent(share) {
    return `${Math.round(100 * share)}\u00a0%`;
  }

  // The result of the sign test of a row, in a sentence.
  function verdict({ won, lost }) {
    const decided = won + lost, p = statistics.signTest(won, decided);
    if (!decided) return "No answer names one of the two.";
    if (statistics.signTest(decided, decided) > 0.05) return "Too few answers: even if all agreed, chance could explain it.";
    const text = p < 0.001 ? "less than 0.1" : (100 * p).toFixed(p < 0.1 ? 1 : 0);
    return `A coin would be at least as one-sided in ${text}\u00a0% of cases: ` +
      (p <= 0.05 ? "chance does not explain this well." : "chance could explain it.");
  }

  drumlib.listeningTest = { samplePairs, isSession, tally, verdict };

  class ListeningTest {
    constructor(root) {
      this.root = root;
      this.find = (selector) => root.querySelector(selector);
      this.test = JSON.parse(this.find(".dlt-data").textContent);
      this.storageKey = `drumlib-listening-test-${this.test.page}`;
      const seed = root.getAttribute("data-seed");
      this.random = statistics.randomSource(seed === null ? null : Number(seed));
      this.playButton = this.find(".dlt-play");
      this.seconds = 0;
      this.sides = {}; // of the pair: { clip, buffer, voice }
      this.side = "a"; // the one that is heard
      this.heard = { a: 0, b: 0 }; // seconds
      this.heardUntil = 0; // the position up to which `heard` is counted
      this.wasAskedToHear = false;
      this.asksToForget = false; // whether the next press forgets all answers
      this.find(".dlt-noscript").hidden = true;
      this.find(".dlt-ui").hidden = false;
      this.transport = new drumlib.Transport(this);
      this.listen();
      this.session = this.readSession();
      if (this.session) this.storeSession();
      else this.beginSitting(1, []);
      root.drumlib = this; // for tests
      this.showPair();
    }

    // The session, {sitting, plan, answers}: the number of this sitting, its pairs still to be heard, all answers

    readSession() {
      try {
        const value = JSON.parse(window.localStorage.getItem(this.storageKey));
        return isSession(value, this.test) ? value : null;
      } catch (error) {
        return null;
      }
    }

    storeSession() {
      let text = "Your answers stay in this browser. Nothing is sent anywhere.";
      try {
        window.localStorage.setItem(this.storageKey, JSON.stringify(this.session));
      } catch (error) {
        text = "Nothing is sent anywhere. This browser keeps nothing, either: your answers are gone when you leave the page.";
      }
      this.find(".dlt-keeps").textContent = text;
    }

    newSession(sitting, answers) {
      return { answers, sitting, plan: samplePairs(this.test, this.random) };
    }

    beginSitting(sitting, answers) {
      this.session = this.newSession(sitting, answers);
      this.storeSession();
    }

    // Sound: A and B play at the same time, and one of them is muted: a switch keeps the position in the song.

    load() {
      return Promise.all(SIDES.map(async (name) => {
        const side = this.sides[name], { rate } = this.test;
        if (side.buffer) return;
        const samples = await drumlib.audio.decode(side.clip.mp3, rate, Math.round(side.clip.seconds * rate));
        side.buffer = drumlib.audio.makeBuffer(rate, samples);
      }));
    }

    begin(position) {
      const when = drumlib.audio.soon();
      for (const name of SIDES) {
        const side = this.sides[name], gain = name === this.side ? 1 : 0;
        side.voice = drumlib.audio.startVoice(side.buffer, when, position, { gain });
      }
      this.heardUntil = position;
      return when;
    }

    silence() {
      this.countHeard();
      for (const side of Object.values(this.sides)) {
        drumlib.audio.stopVoice(side.voice);
        side.voice = null;
      }
    }

    tick() {
      this.countHeard();
      this.showPosition();
    }

    failed() {
      this.setStatus("This browser cannot play the sound here.");
    }

    hear(name) {
      this.countHeard();
      this.side = name;
      for (const button of this.root.querySelectorAll(".dlt-hear")) {
        button.setAttribute("aria-pressed", String(button.getAttribute("data-side") === name));
      }
      for (const one of SIDES) {
        const { voice } = this.sides[one];
        if (voice) drumlib.audio.setGain(voice, one === name ? 1 : 0, undefined, SWITCH_FADE);
      }
    }

    countHeard() { // adds to the seconds heard of this side; returns whether both were heard for long enough
      const now = this.transport.now(), { hear } = this.test;
      if (this.transport.state === "playing" && now > this.heardUntil) this.heard[this.side] += now - this.heardUntil;
      this.heardUntil = now;
      const both = SIDES.every((name) => this.heard[name] >= hear);
      for (const button of this.root.querySelectorAll(".dlt-answer")) button.setAttribute("aria-disabled", String(!both));
      if (both && this.wasAskedToHear) {
        this.setStatus("You have heard both.");
        this.wasAskedToHear = false;
      }
      return both;
    }

    // Display

    setStatus(text) {
      this.find(".dlt-status").textContent = text;
    }

    showPosition() {
      const { clock } = rollLayout, at = this.transport.now(), slider = this.find(".dlt-position");
      this.root.setAttribute("data-position", at.toFixed(3));
      slider.value = at.toFixed(1);
      slider.style.setProperty("--dlt-part", `${(this.seconds ? 100 * at / this.seconds : 0).toFixed(2)}%`);
      slider.setAttribute("aria-valuetext", `${clock(at)} of ${clock(this.seconds)}`);
      drumlib.dom.setText(this.find(".dlt-time"), `${clock(at)} / ${clock(this.seconds)}`);
    }

    showPair(focus = false) { // the next pair, or the result
      const { plan, answers } = this.session, isOver = !plan.length;
      this.transport.pause(0);
      this.heard = { a: 0, b: 0 };
      this.root.setAttribute("data-answers", answers.length);
      this.find(".dlt-pair").hidden = isOver;
      this.find(".dlt-result").hidden = !isOver;
      this.find(".dlt-save").hidden = !answers.length;
      this.find(".dlt-again").textContent = isOver ? "Another sitting" : "Start again";
      if (isOver) {
        this.showResult();
        if (focus) this.find(".dlt-heading").focus();
        return;
      }
      const [song, ...drummers] = plan[0];
      SIDES.forEach((name, i) => {
        const clip = this.test.clips.find((one) => one.song === song && one.drummer === drummers[i]);
        this.sides[name] = { clip, buffer: null, voice: null };
      });
      this.seconds = this.sides.a.clip.seconds;
      this.find(".dlt-position").max = this.seconds;
      this.find(".dlt-which").textContent = `Pair ${this.pairNumber()} of ${this.test.pairs}`;
      this.showDots();
      this.hear("a");
      this.showPosition();
      if (focus) this.playButton.focus();
    }

    pairNumber() {
      return this.test.pairs - this.session.plan.length + 1;
    }

    showDots() {
      const dots = this.find(".dlt-dots"), { pairs } = this.test, number = this.pairNumber();
      dots.textContent = "";
      if (pairs > MOST_DOTS) return;
      for (let i = 1; i <= pairs; i += 1) {
        dots.appendChild(drumlib.dom.element("i", i < number ? "dlt-done" : i === number ? "dlt-now" : ""));
      }
    }

    showResult() {
      const { answers, sitting } = this.session, rows = this.find(".dlt-rows");
      this.find(".dlt-count").textContent = `${counted(answers.length, "answer")}, ${counted(sitting, "sitting")} in this browser.`;
      rows.textContent = "";
      for (const row of tally(answers, this.test.kinds)) rows.appendChild(rowElement(row));
    }

    // Buttons and keys

    listen() {
      const on = (selector, type, act) => {
        for (const element of this.root.querySelectorAll(selector)) element.addEventListener(type, () => act(element));
      };
      on(".dlt-position", "input", (slider) => this.transport.seek(Number(slider.value)));
      on(".dlt-hear", "click", (button) => {
        this.hear(button.getAttribute("data-side"));
        this.transport.play();
      });
      on(".dlt-answer", "click", (button) => this.answer(button.getAttribute("data-answer")));
      on(".dlt-again", "click", () => this.startAgain());
      on(".dlt-forget", "click", () => this.forget());
      on(".dlt-forget", "blur", () => this.askToForget(false));
      on(".dlt-save", "click", () => this.save());
      this.root.addEventListener("keydown", (event) => {
        const name = event.key.toLowerCase();
        if (drumlib.dom.hasModifier(event) || !this.session.plan.length || !SIDES.includes(name)) return;
        event.preventDefault();
        event.stopPropagation();
        this.hear(name);
      });
      // Another tab with this test: its answers count here, and no pair is asked twice. A key of null means that all of
      // the browser's storage was cleared.
      window.addEventListener("storage", (event) => {
        if (!this.root.isConnected || (event.key !== this.storageKey && event.key !== null)) return;
        this.session = this.readSession() || this.newSession(1, []);
        this.askToForget(false);
        this.showPair();
        this.setStatus("Your answers in another tab count here, too.");
      });
    }

    answer(answer) {
      if (!this.countHeard()) {
        const unheard = SIDES.filter((name) => this.heard[name] < this.test.hear);
        this.wasAskedToHear = true;
        this.setStatus(`Please hear ${unheard.length > 1 ? "both" : `${unheard[0].toUpperCase()}, too,`} before you answer.`);
        return;
      }
      const { plan, answers, sitting } = this.session, [song, a, b] = plan.shift();
      answers.push({ sitting, song, a, b, answer });
      this.storeSession();
      this.askToForget(false);
      this.showPair(true);
      this.setStatus(plan.length ? `Noted. Pair ${this.pairNumber()} of ${this.test.pairs}.` : "Noted. That was the last pair.");
    }

    startAgain() { // a sitting without answers is not counted
      const { answers, sitting } = this.session, hasAnswers = answers.some((one) => one.sitting === sitting);
      this.beginSitting(sitting + (hasAnswers ? 1 : 0), answers);
      this.askToForget(false);
      this.showPair(true);
      this.setStatus(`New pairs are chosen.${answers.length ? " What you answered before still counts." : ""}`);
    }

    askToForget(asks) {
      this.asksToForget = asks;
      this.find(".dlt-forget").textContent = asks ? "Really forget?" : "Forget all";
    }

    forget() {
      if (!this.asksToForget) {
        this.askToForget(true);
        this.setStatus("Press again to forget all your answers.");
        return;
      }
      try { window.localStorage.removeItem(this.storageKey); } catch (error) { /* nothing was stored */ }
      this.session = this.newSession(1, []); // in the page only, until there is an answer
      this.askToForget(false);
      this.showPair(true);
      this.setStatus("All your answers are forgotten.");
    }

    save() {
      const { what, version, page, kinds } = this.test, { answers } = this.session;
      const text = `${JSON.stringify({ what, version, page, kinds, answers }, null, 1)}\n`;
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
      link.download = "answers.json";
      this.root.appendChild(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      this.setStatus("Saved as answers.json. It holds your answers, and nothing about you.");
    }
  }

  // A row of the result: the names, the interval as a bar, the counts in words.
  function rowElement(row) {
    const { element } = drumlib.dom, { first, second, won, lost, undecided } = row;
    const decided = won + lost, [low, high] = statistics.wilson(won, decided), line = element("div", "dlt-row");
    for (const name of ["first", "second", "won", "lost", "undecided"]) line.setAttribute(`data-${name}`, row[name]);
    line.setAttribute("data-low", low.toFixed(6));
    line.setAttribute("data-high", high.toFixed(6));
    line.setAttribute("data-p", statistics.signTest(won, decided).toFixed(6));
    const versus = element("p", "dlt-versus");
    versus.append(element("span", "", first), element("span", "dlt-or", " or "), element("span", "", second));
    const bar = element("div", "dlt-bar"), interval = element("i");
    bar.setAttribute("aria-hidden", "true");
    interval.style.left = `${100 * (1 - high)}%`; // the nearer to a name, the more often it was preferred
    interval.style.width = `${100 * (high - low)}%`;
    bar.append(interval);
    if (decided) {
      const dot = element("b");
      dot.style.left = `${100 * lost / decided}%`;
      bar.append(dot);
    }
    const share = `That is ${percent(won / decided)} for ${first} (${percent(low)} to ${percent(high)}). `;
    const counts = `Preferred: ${first} ${won}, ${second} ${lost}, can’t tell ${undecided}. ${decided ? share : ""}`;
    line.append(versus, bar, element("p", "dlt-counts", counts + verdict(row)));
    return line;
  }

  drumlib.components["listening-test"] = (root) => new ListeningTest(root);
})(window.drumlib = window.drumlib || {});
