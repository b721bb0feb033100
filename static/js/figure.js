// Draws the JSON figures that pages carry, with colours and fonts of the tokens; redraws after a refresh and a change of theme.
(() => {
  "use strict";

  const ROW = 24;
  const NARROW_ROW = 42;
  const LABELLED_ROWS = 80;
  const OVERVIEW_HEIGHT = 540;
  const THICK = { running: 0.62, failed: 0.62, queued: 0.22, waiting: 0.22, retrying: 0.22 };
  const THICK_FRAME = 0.3;
  const WORDS = { queued: "queued", running: "running", waiting: "waiting", retrying: "waiting to retry", failed: "failed" };
  const GROW_EVERY = 3000;
  const LEAST_PIXELS = 3;
  // A logarithmic axis in the units that people read.
  const LATENCY_TICKS = {
    tickvals: [0.001, 0.01, 0.1, 1, 10, 60, 3600, 86400, 864000],
    ticktext: ["1 ms", "10 ms", "100 ms", "1 s", "10 s", "1 min", "1 h", "1 d", "10 d"],
  };
  const RIGHT = 24;
  const drawn = new WeakMap();
  const ticksOf = new WeakMap();
  const clockOffset = (Date.parse(document.documentElement.dataset.now ?? "") || Date.now()) - Date.now();

  // The tokens use light-dark(): a computed colour is the chosen one, a custom property is not.
  function readTokens(host) {
    const probe = document.createElement("span");
    host.append(probe);
    const names = ["queued", "running", "waiting", "retrying", "succeeded", "failed", "stopped", "line", "line-strong", "text", "text-soft", "surface-raised", "surface-sunken",
      ...[1, 2, 3, 4, 5, 6, 7, 8].map((number) => `series-${number}`)];
    const colours = {};
    for (const name of names) {
      probe.style.color = `var(--${name})`;
      colours[name] = getComputedStyle(probe).color;
    }
    probe.remove();
    return colours;
  }

  function labelWidth(figure, font) {
    const canvas = document.createElement("canvas").getContext("2d");
    canvas.font = `${font.size}px ${font.family}`;
    return Math.max(...figure.label.map((label, row) => canvas.measureText(label).width + figure.depth[row] * 12));
  }

  function dress(figure, host) {
    if (figure.kind === "costs") return dressCosts(figure, host);
    return figure.kind ? dressHistory(figure, host) : dressTimeline(figure, host);
  }

  // Activity and latency over time: little ink, labels on hover.
  function dressHistory(figure, host) {
    const colour = readTokens(host.parentElement);
    const font = { family: getComputedStyle(host).fontFamily, size: 12, color: colour["text-soft"] };
    const isLatency = figure.kind === "latency";
    const data = figure.data.map((trace) => ({
      ...trace,
      marker: { color: colour[trace.meta], size: 5 },
      line: { color: colour[trace.meta], width: 2 },
      mode: isLatency ? "lines+markers" : undefined,
      hovertemplate: isLatency ? "%{fullData.name} %{text}<extra></extra>" : "%{y} %{fullData.name}<extra></extra>",
    }));
    const layout = {
      barmode: "stack", bargap: 0.15, font, hovermode: "x unified", dragmode: false, height: 208, showlegend: false,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 48, r: 12, t: 8, b: 40 },
      hoverlabel: { bgcolor: colour["surface-raised"], bordercolor: colour["line-strong"], font: { ...font, color: colour.text } },
      xaxis: { type: "date", range: figure.range, gridcolor: "rgba(0,0,0,0)", linecolor: colour.line, tickfont: font, tickangle: 0, fixedrange: true, nticks: host.clientWidth < 400 ? 4 : 6 },
      yaxis: { type: isLatency ? "log" : "linear", gridcolor: colour.line, zeroline: false, tickfont: font, fixedrange: true, nticks: 4, rangemode: "tozero", tickformat: "~s", ...(isLatency ? LATENCY_TICKS : {}) },
    };
    return { data, layout };
  }

  // Money per day or month, stacked by function.
  function dressCosts(figure, host) {
    const { data, layout } = dressHistory(figure, host);
    data.forEach((trace) => Object.assign(trace, { textposition: "none", hovertemplate: "%{fullData.name} %{text}<extra></extra>" }));
    Object.assign(layout.xaxis, { tickformat: figure.by_month ? "%b %Y" : "%b %-d" });
    Object.assign(layout.yaxis, { tickprefix: "$", tickformat: "~g" });
    return { data, layout };
  }

  function hoverWords(figure, row) {
    const label = figure.label[row];
    return [label, figure.words[row], figure.usual[label.replace(/ · slow$/, "")]].filter(Boolean).join("<br>");
  }

  // As the pages say durations: two units from a minute on.
  function durationWords(milliseconds) {
    const seconds = milliseconds / 1000;
    if (seconds < 1) return `${milliseconds > 0.05 && milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
    if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
    const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
    const first = units.findIndex(([, size]) => seconds >= size);
    let rest = seconds;
    return units.slice(first, first + 2).map(([unit, size]) => { const count = Math.floor(rest / size); rest -= count * size; return count ? `${count} ${unit}` : ""; }).join(" ").trim();
  }

  // An open context is the frame of what is below it, not work of its own.
  function thickness(figure, tone, row) {
    return figure.label[row].startsWith("▾") ? Math.min(THICK[tone], THICK_FRAME) : THICK[tone];
  }

  function dressTimeline(figure, host) {
    const colour = readTokens(host.parentElement);
    const count = figure.label.length;
    const isNarrow = host.clientWidth < 640;
    const hasLabels = count <= LABELLED_ROWS && !isNarrow;
    const font = { family: getComputedStyle(host).fontFamily, size: 12, color: colour["text-soft"] };
    const left = hasLabels ? Math.min(labelWidth(figure, font), 280) + 28 : 14;
    const pixels = Math.max(host.clientWidth - left - RIGHT, 200);
    const scale = figure.breaks.length ? timeScale.makeScale(figure) : { size: figure.end, place: (moment) => moment };
    const zero = figure.breaks.length ? 0 : figure.origin;
    // A step of no time is still a step: every bar is at least three pixels wide, and inside the figure.
    const least = (scale.size * LEAST_PIXELS) / pixels;
    const data = figure.data.map((trace) => ({
      type: "bar", orientation: "h", meta: trace.meta, y: trace.y,
      x: trace.x.map((width, at) => Math.max(scale.place(trace.base[at] + width) - scale.place(trace.base[at]), least)),
      base: trace.base.map((offset) => zero + Math.max(0, Math.min(scale.place(offset), scale.size - least))),
      customdata: trace.y.map((row, at) => [figure.id[row], hoverWords(figure, row), `${WORDS[trace.meta]} ${durationWords(trace.x[at])}`]),
      marker: { color: colour[trace.meta], line: { color: colour[trace.meta], width: THICK[trace.meta] > 0.5 ? 1.5 : 0 } },
      width: trace.y.map((row) => (count > LABELLED_ROWS ? 0.9 : thickness(figure, trace.meta, row) * (isNarrow ? ROW / NARROW_ROW : 1))),
      hovertemplate: "%{customdata[1]}<br>%{customdata[2]}<br>from %{text} UTC<extra></extra>",
      text: trace.base.map((offset) => new Date(figure.origin + offset).toISOString().slice(11, 23)),
      textposition: "none",
      showlegend: false,
    }));
    // Labels stand left of the bars, on a phone above them.
    const annotations = count > LABELLED_ROWS ? [] : figure.label.map((label, at) => ({
      text: label, x: 0, xref: "paper", xanchor: "left", xshift: isNarrow ? -3 : 14 + figure.depth[at] * 12 - left,
      y: at, yanchor: "middle", yshift: isNarrow ? 15 : 0,
      captureevents: at in figure.toggle, name: figure.toggle[at] ?? "",
      showarrow: false, align: "left", font: { ...font, color: at ? colour.text : colour["text-soft"] },
    }));
    const layout = {
      height: 66 + (count > LABELLED_ROWS ? OVERVIEW_HEIGHT : (isNarrow ? NARROW_ROW : ROW) * count),
      barmode: "overlay",
      dragmode: "zoom",
      font,
      annotations,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: left, r: RIGHT, t: 48, b: 12 },
      hoverlabel: { bgcolor: colour["surface-raised"], bordercolor: colour["line-strong"], font: { ...font, color: colour.text }, align: "left" },
      xaxis: { type: "date", range: [zero, zero + scale.size], side: "top", gridcolor: colour.line, linecolor: colour.line, zeroline: false, tickfont: font, nticks: isNarrow ? 3 : 9 },
      yaxis: { range: [count - 0.4, isNarrow ? -0.9 : -0.6], showticklabels: false, showgrid: false, zeroline: false, fixedrange: count <= LABELLED_ROWS },
      uirevision: figure.breaks.length ? "shortened" : "kept",
    };
    if (figure.breaks.length) shorten(figure, host, layout, scale, { pixels, colour, font });
    return { data, layout };
  }

  function shorten(figure, host, layout, scale, { pixels, colour, font }) {
    const { shapes, annotations } = timeScale.makeBreaks(scale, colour, font, pixels, durationWords);
    const isZoomed = host.layout?.uirevision === layout.uirevision;
    const ticks = (range) => timeScale.makeTicks(figure, scale, range, pixels);
    layout.shapes = shapes;
    layout.annotations.push(...annotations);
    Object.assign(layout.xaxis, { type: "linear" }, ticks(isZoomed ? host.layout.xaxis.range : layout.xaxis.range));
    ticksOf.set(host, ticks);
  }

  // A part that is looked at closely has times of its own.
  function refineTicks(host, event) {
    if (!Object.keys(event).some((key) => key.startsWith("xaxis.range")) || host.layout.uirevision !== "shortened") return;
    const { tickvals, ticktext } = ticksOf.get(host)(host.layout.xaxis.range);
    Plotly.relayout(host, { "xaxis.tickvals": tickvals, "xaxis.ticktext": ticktext });
  }

  // Bars that end now grow until the next refresh brings what happened meanwhile.
  function grown(figure) {
    const now = Math.max(Date.now() + clockOffset - figure.origin, figure.end);
    const grow = (trace) => trace.x.map((width, at) => (Math.abs(trace.base[at] + width - figure.end) < 1 ? now - trace.base[at] : width));
    const breaks = figure.breaks.map(([from, to]) => [from, Math.abs(to - figure.end) < 1 ? now : to]);
    return { ...figure, breaks, end: now, data: figure.data.map((trace) => ({ ...trace, x: grow(trace) })) };
  }

  function growAll() {
    if (document.hidden) return;
    document.querySelectorAll(".js-plotly-plot[data-figure]").forEach((host) => {
      const figure = JSON.parse(document.getElementById(host.dataset.figure).textContent);
      if (!figure.is_open || host.querySelector(".hoverlayer .hovertext")) return;
      const { data, layout } = dress(grown(figure), host);
      Plotly.react(host, data, layout);
    });
  }

  function draw(host) {
    const source = document.getElementById(host.dataset.figure);
    if (!source || !window.Plotly) return;
    const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
    const key = `${source.textContent} ${document.documentElement.dataset.theme} ${isDark}`;
    if (drawn.get(host) === key) return;
    drawn.set(host, key);
    const { data, layout } = dress(JSON.parse(source.textContent), host);
    const isFirst = !host.classList.contains("js-plotly-plot");
    Plotly.react(host, data, layout, { displayModeBar: false, responsive: true, doubleClick: "reset" });
    if (isFirst) host.on("plotly_clickannotation", (event) => document.querySelector(`[data-toggle="${CSS.escape(event.annotation.name)}"]`)?.click());
    if (isFirst) host.on("plotly_relayout", (event) => refineTicks(host, event));
    if (isFirst && host.dataset.operations) host.on("plotly_click", (event) => openOperation(host, event.points[0].customdata[0]));
  }

  function openOperation(host, id) {
    if (id) htmx.ajax("GET", `${host.dataset.operations}${encodeURIComponent(id)}/`, { target: "#drawer", swap: "innerHTML", source: host });
  }

  function drawAll() {
    document.querySelectorAll("[data-figure]").forEach(draw);
  }

  drawAll();
  window.setInterval(growAll, GROW_EVERY);
  document.addEventListener("htmx:after:swap", drawAll);
  document.addEventListener("themechange", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
