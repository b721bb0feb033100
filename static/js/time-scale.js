// A scale of time that shortens the spans in which nothing ran, so that minutes of work stay visible beside days of waiting.
// `figure` has `origin`, `end` and `breaks`, milliseconds; a place on the scale is a millisecond of the time that is not shortened.
window.timeScale = (() => {
  "use strict";

  const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
  const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND,
    MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY];
  const LARGEST_SHARE = 0.12;
  const SHARE_OF_ALL = 0.4;
  const TICK_PIXELS = 84;
  const EDGE_PIXELS = 16; // nearer to the end a label would be cut
  const MONTH_DAY = new Intl.DateTimeFormat("en-US", { month: "short", day: "numeric", timeZone: "UTC" });

  // Pieces without gap from 0 to the end: { from, to } in time, { at, size } on the scale.
  function makeScale(figure) {
    const shortened = figure.breaks.reduce((sum, [from, to]) => sum + to - from, 0);
    const active = Math.max(figure.end - shortened, 1);
    const share = Math.min(LARGEST_SHARE, SHARE_OF_ALL / figure.breaks.length);
    const gap = (share * active) / (1 - share * figure.breaks.length);
    const pieces = [];
    let time = 0, at = 0;
    const add = (to, size, isBreak) => {
      if (to > time) pieces.push({ from: time, to, at, size, isBreak });
      at += to > time ? size : 0;
      time = Math.max(time, to);
    };
    for (const [from, to] of figure.breaks) {
      add(from, from - time, false);
      add(to, gap, true);
    }
    add(figure.end, figure.end - time, false);
    const place = (moment) => {
      const piece = pieces.find(({ to }) => moment <= to) ?? pieces[pieces.length - 1];
      return piece.at + (Math.max(moment - piece.from, 0) / (piece.to - piece.from)) * piece.size;
    };
    return { pieces, size: at, place };
  }

  function clockText(moment, step) {
    const text = new Date(moment).toISOString();
    return text.slice(11, step >= MINUTE ? 16 : step >= SECOND ? 19 : 23);
  }

  // Round times within the pieces that ran, the beginning of a piece that has none; a new day is named above its first.
  function makeTicks(figure, scale, [low, high], pixels) {
    const perPixel = (high - low) / pixels;
    const step = STEPS.find((one) => one >= perPixel * TICK_PIXELS) ?? STEPS[STEPS.length - 1];
    const tickvals = [], ticktext = [];
    let last = -Infinity, day = "";
    const add = (moment) => {
      const at = scale.place(moment - figure.origin);
      if (at < low || at > high - perPixel * EDGE_PIXELS || at - last < perPixel * TICK_PIXELS * 0.8) return;
      const today = MONTH_DAY.format(moment);
      tickvals.push(at);
      ticktext.push((today === day ? "" : `${today}<br>`) + clockText(moment, step));
      [last, day] = [at, today];
    };
    for (const piece of scale.pieces.filter(({ isBreak }) => !isBreak)) {
      // Only what is in sight: milliseconds of a piece that ran for days would be too many.
      const [from, to] = [low, high].map((at) => figure.origin + piece.from + Math.min(Math.max(at - piece.at, 0), piece.size));
      if (to <= from) continue;
      const first = Math.ceil(from / step) * step;
      if (first > to) add(from);
      for (let moment = first; moment <= to; moment += step) add(moment);
    }
    return { tickmode: "array", tickvals, ticktext };
  }

  // Every bar that crosses a shortened span is cut there, and the span says how long it really was.
  function makeBreaks(scale, colour, font, pixels, durationWords) {
    const shapes = [], annotations = [];
    for (const piece of scale.pieces.filter(({ isBreak }) => isBreak)) {
      const middle = piece.at + piece.size / 2;
      const common = { xref: "x", yref: "paper", xsizemode: "pixel", xanchor: middle, y0: 0, y1: 1 };
      shapes.push(
        { type: "rect", xref: "x", yref: "paper", x0: piece.at, x1: piece.at + piece.size, y0: 0, y1: 1, layer: "below", fillcolor: colour["surface-sunken"], line: { width: 0 } },
        { ...common, type: "rect", x0: -3, x1: 3, fillcolor: colour["surface-sunken"], line: { width: 0 } },
        ...[-3, 3].map((x) => ({ ...common, type: "line", x0: x, x1: x, line: { color: colour["line-strong"], width: 1, dash: "3px,3px" } })),
      );
      if ((piece.size / scale.size) * pixels < 44) continue;
      annotations.push({ text: durationWords(piece.to - piece.from), x: middle, xref: "x", y: 1, yref: "paper", yanchor: "bottom", yshift: 16, showarrow: false, font });
    }
    return { shapes, annotations };
  }

  return { makeScale, makeTicks, makeBreaks };
})();
