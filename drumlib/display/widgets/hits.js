// Drum hits, {step, drum, velocity, offset}: step from 0, velocity 1 to 127, offset in steps, plus is late.
// Reads them as Python packs them, and writes them as text. Pure functions, without a page.
(function (drumlib) {
  "use strict";

  // As `packed_hits` in stage_page.py packs them: 12 bits of step, 4 of drum, 8 of velocity, 8 of offset + 50 in hundredths of a step.
  function unpack(text) {
    const bytes = drumlib.decodeBase64(text), hits = [];
    for (let i = 0; i + 3 < bytes.length; i += 4) {
      const high = bytes[i] << 8 | bytes[i + 1];
      hits.push({ step: high >> 4, drum: high & 15, velocity: bytes[i + 2], offset: (bytes[i + 3] - 50) / 100 });
    }
    return hits;
  }

  function percent(part) {
    return `${Math.round(100 * part)}%`;
  }

  // How many hits each drum has, how loud they are and how late on average, in words.
  function describe(hits, drums) {
    if (!hits.length) return "There are no hits.";
    const counts = drums.map((name, drum) => [name, hits.filter((hit) => hit.drum === drum).length]);
    const played = counts.filter(([, count]) => count).map(([name, count]) => `${name} ${count}`).join(", ");
    const velocities = hits.map((hit) => hit.velocity / 127), softest = Math.min(...velocities), loudest = Math.max(...velocities);
    const mean = hits.reduce((sum, hit) => sum + hit.offset, 0) / hits.length;
    const timing = `${Math.abs(mean).toFixed(2)} sixteenths ${mean > 0 ? "late" : "early"}`;
    return `The drums play ${hits.length} hits: ${played}. ` +
      `Their loudness goes from ${percent(softest)} to ${percent(loudest)} of the loudest possible. ` +
      `On average they are ${Math.abs(mean) < 0.005 ? "on the grid" : timing}.`;
  }

  function offsetText(hundredths) { // +0.05; nothing on the grid
    if (!hundredths) return "";
    return `${hundredths < 0 ? "-" : "+"}0.${String(Math.abs(hundredths)).padStart(2, "0")}`;
  }

  // The line that Sequencer.groove_from reads: 16 steps; kick 0:100 8:96+0.10
  function grooveText(hits, steps, drums) {
    const parts = [`${steps} steps`];
    drums.forEach((name, drum) => {
      const own = hits.filter((hit) => hit.drum === drum);
      const texts = own.map((hit) => `${hit.step}:${hit.velocity}${offsetText(Math.round(100 * hit.offset))}`);
      if (texts.length) parts.push(`${name} ${texts.join(" ")}`);
    });
    return parts.join("; ");
  }

  drumlib.hits = { unpack, describe, grooveText };
})(window.drumlib = window.drumlib || {});
