// What all components share: finding their elements in the page, and small helpers for elements.
(function (drumlib) {
  "use strict";

  drumlib.components = drumlib.components || {}; // by name: what makes a component of its element, component(root)

  // Starts each `.drumlib-<name>` in the page that has not been started. Some notebooks run an output's script just
  // before they put the output into the page: where none is found, it is looked for again.
  drumlib.start = function (name, tries = 20) {
    const found = document.querySelectorAll(`.drumlib-${name}:not([data-ready])`);
    for (const root of found) {
      root.setAttribute("data-ready", "");
      drumlib.components[name](root);
    }
    if (!found.length && tries) setTimeout(() => drumlib.start(name, tries - 1), 50);
  };

  drumlib.dom = {
    // An element with a class and a text. The text never becomes HTML: it may come from a file.
    element(tag, className, text) {
      const made = document.createElement(tag);
      if (className) made.className = className;
      if (text !== undefined) made.textContent = text;
      return made;
    },
    // Both leave alone what is already so: a screen reader would say it again.
    setText(element, text) {
      if (element.textContent !== text) element.textContent = text;
    },
    setAttribute(element, name, value) {
      if (element.getAttribute(name) !== value) element.setAttribute(name, value);
    },
    hasModifier(event) {
      return event.altKey || event.ctrlKey || event.metaKey;
    },
    // The data of an `<audio src="data:audio/mpeg;base64,...">`.
    audioBase64(element) {
      return element.getAttribute("src").split(",")[1];
    }
  };

  // The bytes of a text in base64.
  drumlib.decodeBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
})(window.drumlib = window.drumlib || {});
