// Mixes hits and stems: a plain sum, in which each hit adds its drum's sample at its time, (velocity / 127) ** 2 as
// loud. Pure functions, without a page. Times are in seconds, lengths in samples.
(function (drumlib) {
  "use strict";

  const TAIL = 1.5; // seconds after the last bar, in which the last hits die away
  const TAIL_FADE = 0.1; // seconds at the end of that
  const CHOKE_FADE = 0.003; // seconds of the fade at the end of a shortened sample
  const HI_HATS = [2, 3]; // closed and open: a hit on either stops both

  function stepLength(step, x, t) {
    let i = 0;
    while (i + 2 < x.length && x[i + 1] <= step) i += 1;
    return (t[i + 1] - t[i]) / (x[i + 1] - x[i]);
  }

  // When a hit sounds. An early one on the first step is before the beginning, at a negative time. `x` are steps, `t`
  // their times.
  function onsetTime(hit, x, t) {
    const step = hit.step + hit.offset, { interpolate } = drumlib.rollLayout;
    if (step < 0) return interpolate(step, x, t);
    return interpolate(hit.step, x, t) + hit.offset * stepLength(hit.step, x, t);
  }

  // The sounds of the hits: a list of {from: samples, at: sample, gain, drum, length}. `timing` has x, t, seconds,
  // rate and looped; `sampleOf(hit)` is the hit's sample.
  function drumSounds(hits, sampleOf, timing) {
    const { rate } = timing;
    const list = hits.map((hit) => {
      const from = sampleOf(hit), at = onsetTime(hit, timing.x, timing.t) * rate;
      return { from, at, gain: Math.pow(hit.velocity / 127, 2), drum: hit.drum, length: from.length };
    });
    list.sort((a, b) => a.at - b.at || a.drum - b.drum);
    const hats = list.filter((sound) => HI_HATS.includes(sound.drum));
    hats.forEach((sound, i) => {
      const around = timing.looped ? hats[0].at + timing.seconds * rate : Infinity;
      const next = i + 1 < hats.length ? hats[i + 1].at : around;
      sound.length = Math.min(sound.length, Math.round(next - sound.at + CHOKE_FADE * rate));
    });
    return list;
  }

  // Adds a sound to `out` from sample `at` on; with `wrap`, a sound that exceeds the end continues at the beginning.
  function add(out, sound, at, wrap, rate) {
    const n = out.length, { gain, length } = sound;
    let from = sound.from;
    if (length < from.length) {
      const fade = Math.round(CHOKE_FADE * rate);
      from = from.slice(0, length);
      for (let k = 1; k <= fade && k <= length; k++) from[length - k] *= k / fade;
    }
    let to = wrap ? ((Math.round(at) % n) + n) % n : Math.round(at);
    for (let done = 0; done < length; to = 0) { // in stretches without a branch, since this loop takes most of the time
      const room = Math.min(length - done, n - to);
      for (let k = 0; k < room; k++) out[to + k] += gain * from[done + k];
      if (!wrap) return;
      done += room;
    }
  }

  // Scales all parts by one factor, if a sample exceeds the ceiling.
  function limit(parts, ceiling) {
    let peak = 0;
    for (const part of parts) for (let i = 0; i < part.length; i++) peak = Math.max(peak, Math.abs(part[i]));
    if (peak <= ceiling) return;
    for (const part of parts) for (let i = 0; i < part.length; i++) part[i] *= ceiling / peak;
  }

  // From the beginning to the end, with the tail.
  function mixOnce(sounds, { seconds, rate, ceiling }) {
    const out = new Float32Array(Math.round((seconds + TAIL) * rate)), fade = Math.round(TAIL_FADE * rate);
    for (const sound of sounds) add(out, sound, Math.max(sound.at, 0), false, rate);
    for (let i = 0; i < fade; i++) out[out.length - 1 - i] *= i / fade;
    limit([out], ceiling);
    return out;
  }

  // The first round of a loop, and any later round, over whose beginning the end of the loop still rings.
  function mixLoop(sounds, { seconds, rate, ceiling }) {
    const n = Math.round(seconds * rate), first = new Float32Array(n), rest = new Float32Array(n);
    for (const sound of sounds) {
      add(first, sound, Math.max(sound.at, 0), false, rate);
      if (sound.at < 0) add(first, sound, sound.at + n, false, rate);
      add(rest, sound, sound.at, true, rate);
    }
    limit([first, rest], ceiling);
    return { first, rest };
  }

  drumlib.mix = { onsetTime, drumSounds, mixOnce, mixLoop };
})(window.drumlib = window.drumlib || {});
