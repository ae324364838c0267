// The sound of a page: its one AudioContext, the decoding of MP3, and voices, which are buffers that sound.
(function (drumlib) {
  "use strict";
  if (drumlib.audio) return; // the script comes with every component; the page keeps its first context

  const FADE = 0.004; // time constant of a fade, in seconds
  const MP3_DELAY = 1105; // samples of silence with which an MP3 begins
  let context = null; // made when a reader first presses play: browsers allow it only then

  function getContext() {
    context = context || new (window.AudioContext || window.webkitAudioContext)();
    return context;
  }

  // The time by the context's clock of what is heard now.
  function heardTime() {
    return context.currentTime - (context.outputLatency || 0);
  }

  // A time by the context's clock at which a voice can begin without a gap.
  function soon(delay = 0.06) {
    return context.currentTime + delay;
  }

  // MP3 in base64, as `samples` samples at `rate`, whatever the machine's own rate. Works before a reader's first touch.
  async function decode(text, rate, samples) {
    const offline = new (window.OfflineAudioContext || window.webkitOfflineAudioContext)(1, 1, rate);
    const bytes = drumlib.decodeBase64(text);
    // Older browsers know only the callbacks; a promise that is not awaited would complain once more.
    const buffer = await new Promise((done, failed) => {
      const promise = offline.decodeAudioData(bytes.buffer, done, failed);
      if (promise) promise.catch(failed);
    });
    // Most browsers remove the silence at the beginning. Where one did not, the buffer is too long, and we remove it.
    const lead = buffer.length - samples > 0.02 * rate ? MP3_DELAY : 0;
    return buffer.getChannelData(0).slice(lead, lead + samples);
  }

  // One buffer of one or more arrays of samples, one after the other.
  function makeBuffer(rate, ...parts) {
    const buffer = getContext().createBuffer(1, parts.reduce((sum, part) => sum + part.length, 0), rate);
    let at = 0;
    for (const part of parts) {
      buffer.getChannelData(0).set(part, at);
      at += part.length;
    }
    return buffer;
  }

  // Begins to play a buffer at the context's time `when`, from `at` seconds on. `gain` is its loudness; `loop` is
  // [start, end] in seconds, if it has a loop; `fadeIn` is true if another voice fades out at the same time.
  function startVoice(buffer, when, at, { gain = 1, loop = null, fadeIn = false } = {}) {
    const voice = { source: context.createBufferSource(), gain: context.createGain() };
    voice.source.buffer = buffer;
    if (loop) {
      voice.source.loop = true;
      [voice.source.loopStart, voice.source.loopEnd] = loop;
    }
    voice.source.connect(voice.gain);
    voice.gain.connect(context.destination);
    voice.gain.gain.value = fadeIn ? 0 : gain;
    if (fadeIn) setGain(voice, gain, when);
    voice.source.start(when, at);
    return voice;
  }

  function setGain(voice, gain, when = context.currentTime, fade = FADE) {
    voice.gain.gain.setTargetAtTime(gain, when, fade);
  }

  // Fades a voice out and ends it. Null is no voice.
  function stopVoice(voice, when = context && context.currentTime) {
    if (!voice) return;
    setGain(voice, 0, when);
    voice.source.stop(when + 8 * FADE);
    voice.source.addEventListener("ended", () => voice.gain.disconnect());
  }

  drumlib.audio = { getContext, heardTime, soon, decode, makeBuffer, startVoice, setGain, stopVoice };
})(window.drumlib = window.drumlib || {});
