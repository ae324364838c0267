// The geometry of a drum roll: the places of its bars, drums and steps. Pure functions, without a page.
(function (drumlib) {
  "use strict";

  const EPSILON = 1e-6; // steps

  // Piecewise linear: where a value of the axis `from` is on the axis `to`. Both ascend and are equally long.
  function interpolate(value, from, to) {
    let low = 0, high = from.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (from[middle] <= value) low = middle;
      else high = middle;
    }
    const width = from[high] - from[low];
    return width ? to[low] + (value - from[low]) * (to[high] - to[low]) / width : to[high];
  }

  // The bar, from 0, in which a step is. `bars` holds the first step of each bar, and the end of the last.
  function barAt(bars, step) {
    let bar = 0;
    while (bar + 2 < bars.length && bars[bar + 1] <= step + EPSILON) bar += 1;
    return bar;
  }

  // Pixels of a roll `width` wide: where the drums' names end (left), the heights of its parts, and how many bars are
  // shown at a time. `drums` rows, each `row` high, below `above` pixels for the host; `label` is the width of the
  // longest name.
  function layoutOf(width, { drums, above, row, label }) {
    const narrow = width < 480;
    const left = Math.max(narrow ? 62 : 88, Math.min(Math.ceil(label) + 12, 0.36 * width)); // names get at most 36 %
    const layout = { width, left, right: width - 6, top: 20, row: row || (narrow ? 19 : 20), narrow };
    layout.drums = layout.top + above;
    layout.bottom = layout.drums + drums * layout.row;
    layout.height = layout.bottom + 22;
    const room = Math.floor((layout.right - left) / (narrow ? 190 : 270));
    layout.bars = room >= 4 ? 4 : room >= 2 ? 2 : 1;
    return layout;
  }

  // The page of `perPage` bars on which a bar is: its first bar and the one after its last, and its steps. The last page
  // may have fewer bars: they are as wide as on the other pages, so that `to` lies beyond the last bar.
  function pageOf(bars, perPage, bar) {
    const first = Math.floor(bar / perPage) * perPage, end = Math.min(first + perPage, bars.length - 1), from = bars[first];
    const to = end - first < perPage && first > 0 ? from + bars[first] - bars[first - perPage] : bars[end];
    return { first, end, from, to };
  }

  // The step that a key moves to; null, if the key moves nothing.
  function stepOfKey(key, step, bars) {
    const bar = barAt(bars, step), last = bars.length - 2;
    switch (key) {
      case "ArrowRight": case "ArrowUp": return step + 4;
      case "ArrowLeft": case "ArrowDown": return step - 4;
      case "PageDown": return bars[Math.max(step - bars[bar] > 2 ? bar : bar - 1, 0)];
      case "PageUp": return bars[Math.min(bar + 1, last)];
      case "Home": return -Infinity;
      case "End": return bars[last];
      default: return null;
    }
  }

  // A colour of a palette of [red, green, blue], for a part of 1.
  function shade(palette, part) {
    const place = Math.min(Math.max(part, 0), 1) * (palette.length - 1);
    const low = Math.min(Math.floor(place), palette.length - 2), from = palette[low], to = palette[low + 1];
    return from.map((component, i) => Math.round(component + (to[i] - component) * (place - low)));
  }

  // Minutes and seconds, as 1:05.
  function clock(seconds) {
    return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  }

  // The step's beat in its bar, from 1; `beats` are the steps of all beats.
  function beatAt(bars, beats, step) {
    const first = bars[barAt(bars, step)] - EPSILON;
    return beats.filter((beat) => beat >= first && beat <= step + EPSILON).length || 1;
  }

  drumlib.rollLayout = { EPSILON, interpolate, barAt, layoutOf, pageOf, stepOfKey, shade, clock, beatAt };
})(window.drumlib = window.drumlib || {});
