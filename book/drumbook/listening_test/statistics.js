// Statistics of a listening test, as drumlib.evaluation.statistics computes them, and sources of random numbers.
(function (drumlib) {
  "use strict";

  const Z = 1.959964; // the 97.5 % quantile of the standard normal distribution

  // Wilson's 95 % interval of the share won / of, as [low, high]; [0, 1] without any.
  function wilson(won, of) {
    if (!of) return [0, 1];
    const share = won / of, weight = Z * Z / of, middle = (share + weight / 2) / (1 + weight);
    const half = Z * Math.sqrt(share * (1 - share) / of + weight / (4 * of)) / (1 + weight);
    return [Math.max(0, middle - half), Math.min(1, middle + half)];
  }

  // The two-sided sign test: P(max(X, of - X) >= max(won, of - won)) for X ~ Binomial(of, 1/2). In logarithms, since
  // 2 ** of overflows.
  function signTest(won, of) {
    const least = Math.max(won, of - won);
    let logChoose = 0, sum = 0;
    for (let k = 0; k <= of; k++) {
      if (k >= least) sum += Math.exp(logChoose - of * Math.LN2);
      logChoose += Math.log((of - k) / (k + 1));
    }
    return Math.min(1, 2 * sum);
  }

  // A function that returns uniform numbers in [0, 1): the generator mulberry32 with this seed; the browser's own, if
  // the seed is null.
  function randomSource(seed) {
    if (seed === null) {
      return () => window.crypto && crypto.getRandomValues
        ? crypto.getRandomValues(new Uint32Array(1))[0] / 4294967296
        : Math.random();
    }
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6D2B79F5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  // A random permutation (Fisher-Yates); the list itself stays as it is.
  function shuffled(list, random) {
    const out = list.slice();
    for (let i = out.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [out[i], out[j]] = [out[j], out[i]];
    }
    return out;
  }

  drumlib.statistics = { wilson, signTest, randomSource, shuffled };
})(window.drumlib = window.drumlib || {});
