// Writes a standard MIDI file. Pure functions, without a page.
(function (drumlib) {
  "use strict";

  const TICKS_PER_STEP = 100; // a tick is a hundredth of a step, and a quarter note has 400
  const NOTE_ON = 0x99, NOTE_OFF = 0x89; // on channel 10, the drums'

  function bigEndian(value, bytes) {
    return Array.from({ length: bytes }, (_, i) => value >> 8 * (bytes - 1 - i) & 255);
  }

  function variableLength(value) { // seven bits a byte; all bytes but the last have their high bit set
    const out = [value & 127];
    for (let rest = value >> 7; rest; rest >>= 7) out.unshift(rest & 127 | 128);
    return out;
  }

  function chunk(name, bytes) {
    return [...Array.from(name, (character) => character.charCodeAt(0)), ...bigEndian(bytes.length, 4), ...bytes];
  }

  // A file of format 0 with one bar of 4/4 after the other. `hits` are {step, drum, velocity, offset}, each half a step
  // long; `pitches` are the drums' MIDI pitches; `steps` is the length. An early hit on step 0 is moved to the start.
  function drumFile(hits, { steps, bpm, pitches }) {
    const events = [];
    for (const { step, drum, velocity, offset } of hits) {
      const tick = Math.max(step * TICKS_PER_STEP + Math.round(offset * TICKS_PER_STEP), 0);
      events.push([tick, 1, [NOTE_ON, pitches[drum], velocity]], [tick + TICKS_PER_STEP / 2, 0, [NOTE_OFF, pitches[drum], 0]]);
    }
    events.sort((a, b) => a[0] - b[0] || a[1] - b[1]); // where one note ends as another begins, it ends first
    const tempo = [0, 0xff, 0x51, 3, ...bigEndian(Math.round(60000000 / bpm), 3)], meter = [0, 0xff, 0x58, 4, 4, 2, 24, 8];
    const track = [...tempo, ...meter];
    let before = 0;
    for (const [tick, , bytes] of events) {
      track.push(...variableLength(tick - before), ...bytes);
      before = tick;
    }
    track.push(...variableLength(Math.max(steps * TICKS_PER_STEP - before, 0)), 0xff, 0x2f, 0);
    const header = [...bigEndian(0, 2), ...bigEndian(1, 2), ...bigEndian(4 * TICKS_PER_STEP, 2)];
    return Uint8Array.from([...chunk("MThd", header), ...chunk("MTrk", track)]);
  }

  // An address that holds the whole file, for a link.
  function dataAddress(bytes) {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return `data:audio/midi;base64,${btoa(text)}`;
  }

  drumlib.midi = { drumFile, dataAddress };
})(window.drumlib = window.drumlib || {});
