// Draws the JSON figures that pages carry, with colours and fonts of the tokens; redraws after a refresh and a change of theme.
(() => {
  "use strict";

  const ROW = 24;
  const MAX_ROWS_IN_FULL = 60;
  const drawn = new WeakMap();

  function dress(figure, host) {
    const styles = getComputedStyle(host);
    // The tokens use light-dark(): a computed colour is the chosen one, a custom property is not.
    const probe = document.createElement("span");
    host.ownerDocument.body.append(probe);
    const token = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    const isNarrow = host.clientWidth < 640;
    const rows = figure.rows;
    const height = 44 + (rows <= MAX_ROWS_IN_FULL ? ROW * rows : Math.max(ROW * MAX_ROWS_IN_FULL, Math.min(6 * rows, 6000)));
    const font = { family: styles.fontFamily, size: 12, color: token("text-soft") };
    const data = figure.data.map((trace) => ({
      ...trace,
      marker: { color: token(trace.meta), line: { color: token(trace.meta), width: 1.5 } },
      width: rows <= MAX_ROWS_IN_FULL ? 0.56 : 0.8,
      hovertemplate: "<b>%{customdata[1]}</b><br>%{customdata[2]}<br>%{base|%H:%M:%S.%L} UTC<extra></extra>",
      showlegend: false,
    }));
    const showLabels = rows <= MAX_ROWS_IN_FULL * 4 && !isNarrow;
    const layout = {
      height,
      barmode: "overlay",
      bargap: 0,
      dragmode: "zoom",
      font,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: showLabels ? 8 : 12, r: 20, t: 30, b: 10 },
      hoverlabel: { bgcolor: token("surface-raised"), bordercolor: token("line-strong"), font: { ...font, color: token("text") }, align: "left" },
      xaxis: { ...figure.layout.xaxis, side: "top", gridcolor: token("line"), linecolor: token("line"), zeroline: false, tickfont: font, nticks: isNarrow ? 3 : 9, fixedrange: false },
      yaxis: { ...figure.layout.yaxis, automargin: showLabels, showticklabels: showLabels, showgrid: false, zeroline: false, fixedrange: true, tickfont: { ...font, color: token("text") }, ticks: "", ticklabelstandoff: 8 },
    };
    probe.remove();
    return { data, layout };
  }

  function draw(host) {
    const source = document.getElementById(host.dataset.figure);
    if (!source || !window.Plotly) return;
    const key = source.textContent + (document.documentElement.dataset.theme ?? "") + matchMedia("(prefers-color-scheme: dark)").matches;
    if (drawn.get(host) === key) return;
    drawn.set(host, key);
    const { data, layout } = dress(JSON.parse(source.textContent), host);
    const isFirst = !host.classList.contains("js-plotly-plot");
    Plotly.react(host, data, { ...layout, uirevision: "kept" }, { displayModeBar: false, responsive: true, doubleClick: "reset" });
    if (isFirst) host.on("plotly_click", (event) => openOperation(event.points[0].customdata[0]));
  }

  function openOperation(id) {
    if (id) document.querySelector(`[data-operation="${CSS.escape(id)}"]`)?.click();
  }

  function drawAll() {
    document.querySelectorAll("[data-figure]").forEach(draw);
  }

  drawAll();
  document.addEventListener("htmx:after:swap", drawAll);
  document.addEventListener("themechange", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
