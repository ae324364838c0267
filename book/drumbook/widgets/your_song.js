// The songs of the songbook, each with a stage of its drummers' takes and a link to the whole song with these drums.
(function (drumlib) {
  "use strict";

  class YourSong {
    constructor(root) {
      this.songs = JSON.parse(root.querySelector(".dlys-data").textContent);
      this.box = root.querySelector(".dlys-stage");
      this.select = root.querySelector(".dlys-song");
      this.line = root.querySelector(".dlys-take");
      this.stages = [this.stage()]; // elements, by song
      this.turn = 0; // counts the links: one whose file is unpacked too late is dropped
      this.select.addEventListener("change", () => this.choose(Number(this.select.value)));
      for (const type of ["input", "change"]) this.box.addEventListener(type, () => this.link());
      this.link();
    }

    stage() { // the element that is shown
      return this.box.querySelector(".drumlib-stage");
    }

    // The stage of a song. Its HTML leaves out what all stages have in common, and gets it from the stage that is shown.
    makeStage(song) {
      const holder = document.createElement("div");
      holder.innerHTML = song.page; // by Python, with all text escaped
      const stage = holder.querySelector(".drumlib-stage");
      for (const selector of ["style", ".dls-kit"]) {
        const common = this.stage().querySelector(selector);
        if (common) stage.querySelector(selector).textContent = common.textContent; // the style may stand further up
      }
      return stage;
    }

    choose(i) {
      const before = this.stage();
      if (before.getAttribute("data-state") === "playing") before.querySelector(".dls-play").click();
      this.stages[i] = this.stages[i] || this.makeStage(this.songs[i]);
      before.replaceWith(this.stages[i]);
      drumlib.start("stage");
      this.link();
    }

    async link() { // to the whole song with the chosen take
      const song = this.songs[Number(this.select.value)], knob = this.stage().querySelector(".dls-knob");
      this.turn += 1;
      const turn = this.turn;
      this.line.textContent = "";
      if (!window.DecompressionStream) {
        this.line.textContent = "This browser cannot unpack the MIDI file.";
        return;
      }
      const bytes = drumlib.decodeBase64(song.files[Number(knob.value)]);
      const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      const file = new Uint8Array(await new Response(unpacked).arrayBuffer());
      if (turn !== this.turn) return;
      const link = drumlib.dom.element("a", "", "Download the whole song with these drums (MIDI)");
      link.download = song.name;
      link.href = drumlib.midi.dataAddress(file);
      this.line.textContent = "";
      this.line.appendChild(link);
    }
  }

  drumlib.components["your-song"] = (root) => new YourSong(root);
})(window.drumlib = window.drumlib || {});
