// Play, pause and position of a component that sounds. Its state is stopped, loading, playing, paused or error.
(function (drumlib) {
  "use strict";

  const LABELS = { playing: "Pause", loading: "Loading" };

  class Transport {
    // `host` has: root, playButton, seconds; load(), a promise that all sound is there; begin(position), which starts
    // the sound and returns the context's time at which it begins; silence(); tick(), to show a new position; failed().
    // It may have: status, an element that is cleared at play; ended(), called when the end is reached; lost(), called
    // when the root has left the page; looped, whether the end is followed by the beginning.
    constructor(host) {
      this.host = host;
      this.position = 0; // seconds, while nothing sounds
      this.startedAt = null; // time of position 0 by the clock of the context, while something sounds
      this.turn = 0; // counts plays and stops: sound that was loaded for an earlier one is not played
      this.looped = Boolean(host.looped);
      host.playButton.addEventListener("click", () => this.toggle());
      document.addEventListener("drumlib-play", (event) => { // only one component of a page plays
        if (event.detail !== host.root && this.active) this.pause();
      });
      this.show("stopped");
    }

    get active() {
      return this.state === "playing" || this.state === "loading";
    }

    now() {
      if (this.startedAt === null) return this.position;
      const heard = Math.max(drumlib.audio.heardTime() - this.startedAt, 0);
      return this.looped ? heard % this.host.seconds : Math.min(heard, this.host.seconds);
    }

    show(state) {
      this.state = state;
      this.host.root.setAttribute("data-state", state);
      this.host.playButton.querySelector("span").textContent = LABELS[state] || "Play";
    }

    play() {
      if (this.active) return;
      document.dispatchEvent(new CustomEvent("drumlib-play", { detail: this.host.root }));
      if (this.host.status) this.host.status.textContent = "";
      this.turn += 1;
      this.load(() => {
        if (this.position >= this.host.seconds - (this.looped ? 0.01 : 0.05)) this.position = 0;
        this.startedAt = this.host.begin(this.position) - this.position;
        this.frame();
      });
    }

    // Continues with a sound that is already playing, and whose position 0 was at the context's time `startedAt`;
    // `loaded` is called when this component's own sound is there.
    takeOver(startedAt, loaded) {
      this.turn += 1;
      this.startedAt = startedAt;
      this.load(loaded);
      this.frame();
    }

    async load(loaded) {
      const turn = this.turn;
      this.show("loading");
      try {
        await Promise.all([drumlib.audio.getContext().resume(), this.host.load()]);
        if (turn !== this.turn) return;
        this.show("playing");
        loaded();
      } catch (error) {
        if (turn !== this.turn) return;
        this.stop();
        this.show("error");
        this.host.failed();
      }
    }

    stop() {
      this.host.silence();
      this.release();
    }

    // Forgets the sound without ending it: another component takes it over.
    release() {
      this.turn += 1;
      this.startedAt = null;
    }

    pause(at = this.now()) {
      this.position = at;
      this.stop();
      this.show(at > 0 ? "paused" : "stopped");
      this.host.tick();
    }

    seek(to) {
      const wasActive = this.active;
      this.pause(Math.min(Math.max(to, 0), this.host.seconds));
      if (wasActive) this.play();
    }

    toggle() {
      if (this.active) this.pause();
      else this.play();
    }

    frame(turn = this.turn) {
      if (turn !== this.turn || this.startedAt === null) return;
      if (!this.host.root.isConnected) {
        if (this.host.lost) this.host.lost();
        else this.leave();
      } else if (!this.looped && this.now() >= this.host.seconds) {
        if (this.host.ended) this.host.ended();
        this.pause(0);
      } else {
        this.host.tick();
        requestAnimationFrame(() => this.frame(turn));
      }
    }

    leave() { // the root has left the page
      this.position = this.now();
      this.stop();
      this.show("paused");
    }
  }

  drumlib.Transport = Transport;
})(window.drumlib = window.drumlib || {});
