// What is wider than the page scrolls in a box of its own. A keyboard can scroll a box only if it can stop there, so
// formulas, tables and figures that do not fit become stops; those that fit are none. (The theme does so for code.)
(function () {
  "use strict";
  let waiting = null;

  function mark() {
    document.querySelectorAll("mjx-container[display=true], .bd-article table, .bd-article div.cell_output").forEach(function (box) {
      if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0; else box.removeAttribute("tabindex");
    });
  }

  window.addEventListener("load", function () {
    mark();
    if (window.MathJax && MathJax.startup && MathJax.startup.promise) MathJax.startup.promise.then(mark);
  });
  window.addEventListener("resize", function () {
    clearTimeout(waiting);
    waiting = setTimeout(mark, 200);
  });
})();
