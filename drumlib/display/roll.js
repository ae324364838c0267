// The roll: drums and time on one canvas, drawn alike in the player and on the stage, and moved through by hand.
//
// Of `host` it asks: data (bars and x in steps, t in seconds, drums, short, palette, seconds, number of the first bar),
// beats (where they are, in steps), now() in seconds, playing(), strokes(), seek(seconds) and toggle(), and what stands
// above the drums: its height, above, and how it is painted, paintAbove(shown, width of a step). A host may fix which
// bar is shown, bar(), may want to hear of each painting, painted(), and may have names of its own that need room to
// the left, names.
var rolls = 0, FONT = "11px system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif";
function rollOf(root, host) {
  var data = host.data, bars = data.bars, seconds = data.seconds, last = bars.length - 1;
  var canvas = root.querySelector("canvas"), draw2d = canvas.getContext("2d"), time = root.querySelector(host.time);
  var colours = {}, page = { first: 0, end: 1 }, shape = {};
  rolls += 1;
  host.summary.id = host.name + "-" + Date.now().toString(36) + "-" + rolls;
  canvas.setAttribute("aria-describedby", host.summary.id);
  canvas.setAttribute("aria-valuemax", seconds.toFixed(1));

  // Where time is on the page: data.x holds steps, data.t their seconds.
  function between(value, from, to) {
    var low = 0, high = from.length - 1;
    while (high - low > 1) { var middle = (low + high) >> 1; if (from[middle] <= value) low = middle; else high = middle; }
    var width = from[high] - from[low];
    return width ? to[low] + (value - from[low]) * (to[high] - to[low]) / width : to[high];
  }
  function stepAt(at) { return between(at, data.t, data.x); }
  function secondsAt(step) { return Math.min(Math.max(between(step, data.x, data.t), 0), seconds); }
  function barAt(step) {
    var bar = 0;
    while (bar + 1 < last && bars[bar + 1] <= step + 1e-6) bar += 1;
    return bar;
  }

  // Colours
  function readColours() {
    var style = getComputedStyle(root);
    ["ink", "soft-ink", "line", "bar", "row", "band", "head"].forEach(function (name) {
      colours[name] = style.getPropertyValue("--drumlib-" + name).trim();
    });
    paint();
  }
  function shade(part) { // a colour of the palette, for a part of 1
    var place = Math.min(Math.max(part, 0), 1) * (data.palette.length - 1), low = Math.min(Math.floor(place), data.palette.length - 2);
    var from = data.palette[low], to = data.palette[low + 1];
    return from.map(function (c, i) { return Math.round(c + (to[i] - c) * (place - low)); });
  }

  // Picture
  function measure() {
    var width = canvas.clientWidth || 600, narrow = width < 480, ratio = window.devicePixelRatio || 1;
    draw2d.font = FONT;
    var longest = (host.names || []).reduce(function (most, name) { return Math.max(most, draw2d.measureText(name).width); }, 0);
    var left = Math.max(narrow ? 62 : 88, Math.min(Math.ceil(longest) + 12, 0.36 * width)); // names have room, up to a point
    shape = { width: width, left: left, right: width - 6, top: 20, row: data.row || (narrow ? 19 : 20), narrow: narrow };
    shape.drums = shape.top + host.above;
    shape.bottom = shape.drums + data.drums.length * shape.row;
    shape.height = shape.bottom + 22;
    var room = Math.floor((shape.right - shape.left) / (narrow ? 190 : 270));
    shape.bars = room >= 4 ? 4 : room >= 2 ? 2 : 1;
    canvas.style.height = shape.height + "px";
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(shape.height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(shape.height * ratio);
    }
    draw2d.setTransform(ratio, 0, 0, ratio, 0, 0);
  }
  function turn(step) { // to the page of bars that this step is on, or that the host wants
    var fixed = host.bar ? host.bar() : undefined;
    var first = Math.floor((fixed === undefined ? barAt(step) : fixed) / shape.bars) * shape.bars;
    page = { first: first, end: Math.min(first + shape.bars, last), from: bars[first] };
    // The last page may have fewer bars: they keep the width that bars have on the other pages.
    page.to = page.end - first < shape.bars && first > 0 ? page.from + bars[first] - bars[first - shape.bars] : bars[page.end];
  }
  function place(step) { return shape.left + (step - page.from) * (shape.right - shape.left) / (page.to - page.from); }
  function line(x, top, bottom, colour, width) { draw2d.fillStyle = colour; draw2d.fillRect(x - width / 2, top, width, bottom - top); }
  function box(x, y, width, height, radius) {
    draw2d.beginPath();
    if (draw2d.roundRect) draw2d.roundRect(x, y, width, height, radius); else draw2d.rect(x, y, width, height);
    draw2d.fill();
  }
  function label(text, middle) { // to the left of the roll
    draw2d.fillStyle = colours["soft-ink"];
    draw2d.textAlign = "right";
    draw2d.fillText(text, shape.left - 8, middle);
  }
  function paint() {
    measure();
    var now = host.now(), step = stepAt(now), d = draw2d, s = shape;
    turn(step);
    var shown = bars[page.end], stepWidth = (s.right - s.left) / (page.to - page.from);
    d.clearRect(0, 0, s.width, s.height);
    d.font = FONT; // a canvas whose size has changed has forgotten it
    d.textBaseline = "middle";
    data.drums.forEach(function (name, i) {
      var y = s.bottom - (i + 1) * s.row;
      if (i % 2) { d.fillStyle = colours.row; d.fillRect(s.left, y, s.right - s.left, s.row); }
      label(s.narrow ? data.short[i] : name, y + s.row / 2);
    });
    host.paintAbove(shown, stepWidth);
    for (var x = page.from; x < shown - 1e-6; x += 1) line(place(x), s.drums, s.bottom, colours.line, 1);
    host.beats.forEach(function (x) { if (x >= page.from && x < shown) line(place(x), s.drums, s.bottom, colours.line, 2); });
    d.textAlign = "left";
    for (var bar = page.first; bar <= page.end; bar++) {
      line(place(bars[bar]), s.top - 4, s.bottom, colours.bar, 1.2);
      if (bar < page.end) { d.fillStyle = colours["soft-ink"]; d.fillText((s.narrow ? "" : "bar ") + (data.number + bar), place(bars[bar]) + 4, 9); }
    }
    host.strokes().forEach(function (stroke) {
      if (stroke.step < page.from - 0.02 || stroke.step > shown - 0.02) return;
      var at = stroke.step + stroke.offset, middle = s.bottom - (stroke.drum + 0.5) * s.row;
      var tall = s.row * (0.34 + 0.52 * stroke.velocity / 127), wide = Math.max(4, Math.min(stepWidth * 0.62, 13));
      if (Math.abs(stroke.offset) > 0.005) line(place(stroke.step), middle - s.row * 0.42, middle + s.row * 0.42, colours.bar, 1.4);
      d.fillStyle = "rgb(" + shade(stroke.velocity / 127).join() + ")";
      box(place(at), middle - tall / 2, wide, tall, 2.5);
      if (host.playing() && step >= at && step < at + 0.8) { d.strokeStyle = colours.ink; d.lineWidth = 1.5; d.stroke(); }
    });
    var scale = (s.right - s.left) / seconds, y = s.bottom + 12; // all of it, below; this page marked
    d.fillStyle = colours.line; box(s.left, y, s.right - s.left, 5, 2.5);
    d.fillStyle = colours.bar; box(s.left + secondsAt(page.from) * scale, y, (secondsAt(shown) - secondsAt(page.from)) * scale, 5, 2.5);
    d.fillStyle = colours.head; d.beginPath(); d.arc(s.left + now * scale, y + 2.5, 4.5, 0, 7); d.fill();
    if ((step >= page.from - 1e-6 || page.first === 0) && (step <= shown + 1e-6 || page.end === last)) { // half a step before the first bar is at its beginning, what rings after the last at its end
      var head = place(Math.min(Math.max(step, page.from), shown));
      line(head, s.top - 6, s.bottom, colours.head, 2);
      d.beginPath(); d.moveTo(head - 5, s.top - 9); d.lineTo(head + 5, s.top - 9); d.lineTo(head, s.top - 3); d.fill();
    }
    tell(now, step);
    if (host.painted) host.painted();
  }

  // Words
  function clock(at) { return Math.floor(at / 60) + ":" + ("0" + Math.floor(at % 60)).slice(-2); }
  function set(element, name, value) { if (element.getAttribute(name) !== value) element.setAttribute(name, value); }
  function tell(now, step) {
    root.setAttribute("data-position", now.toFixed(3));
    var text = clock(now) + " / " + clock(seconds);
    if (time.textContent !== text) time.textContent = text;
    var bar = barAt(step), beat = host.beats.filter(function (x) { return x >= bars[bar] - 1e-6 && x <= step + 1e-6; }).length || 1;
    set(canvas, "aria-valuenow", now.toFixed(1));
    set(canvas, "aria-valuetext", "bar " + (data.number + bar) + " of " + (data.number + last - 1) + ", beat " + beat + ", " + clock(now));
  }

  // Hands
  canvas.addEventListener("click", function (event) {
    var inside = canvas.getBoundingClientRect(), x = event.clientX - inside.left, y = event.clientY - inside.top;
    var part = Math.min(Math.max((x - shape.left) / (shape.right - shape.left), 0), 1);
    host.seek(y > shape.bottom + 4 ? part * seconds : secondsAt(Math.min(page.from + part * (page.to - page.from), bars[page.end])));
  });
  canvas.addEventListener("keydown", function (event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    var step = stepAt(host.now()), bar = barAt(step), to = null;
    if (event.key === "ArrowRight" || event.key === "ArrowUp") to = secondsAt(step + 4);
    else if (event.key === "ArrowLeft" || event.key === "ArrowDown") to = secondsAt(step - 4);
    else if (event.key === "PageDown") to = secondsAt(bars[Math.max(step - bars[bar] > 2 ? bar : bar - 1, 0)]);
    else if (event.key === "PageUp") to = secondsAt(bars[Math.min(bar + 1, last - 1)]);
    else if (event.key === "Home") to = 0;
    else if (event.key === "End") to = secondsAt(bars[last - 1]);
    else if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    if (to === null) { if (!event.repeat) host.toggle(); } else host.seek(to);
  });
  if (window.ResizeObserver) new ResizeObserver(paint).observe(root); else window.addEventListener("resize", paint);
  var watch = new MutationObserver(readColours);
  [document.documentElement, document.body].forEach(function (element) {
    watch.observe(element, { attributes: true, attributeFilter: ["data-theme", "theme", "data-jp-theme-light", "class"] });
  });
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  if (dark.addEventListener) dark.addEventListener("change", readColours);

  return {
    between: between, paint: paint, readColours: readColours, shade: shade,
    place: place, label: label, draw2d: draw2d, colours: colours,
    shape: function () { return shape; }, page: function () { return page; }
  };
}
