// Ages that tick: <time datetime data-relative> says "4 min ago" or "in 40 s"; <data data-since> counts a duration up.
(() => {
  "use strict";

  const serverNow = Date.parse(document.documentElement.dataset.now ?? "") || Date.now();
  const offset = serverNow - Date.now();
  const units = [[31536000, "y"], [2592000, "mo"], [86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

  function age(seconds) {
    const rest = Math.abs(Math.round(seconds));
    if (rest < 1) return "now";
    const [size, unit] = units.find(([limit]) => rest >= limit);
    if (seconds < 0 && rest >= 60 && rest < 2592000) return `in ${length(rest)}`;
    const words = `${Math.floor(rest / size)} ${unit}`;
    return seconds < 0 ? `in ${words}` : `${words} ago`;
  }

  // Two units from a minute on, as the server says durations.
  function length(seconds) {
    const first = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]].find(([size]) => seconds >= size);
    if (!first) return `${Math.max(0, Math.floor(seconds))} s`;
    const [size, unit, smaller, smallUnit] = first;
    const rest = Math.floor((seconds % size) / smaller);
    return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${smallUnit}` : ""}`;
  }

  function put(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function tick() {
    const now = Date.now() + offset;
    document.querySelectorAll("time[data-relative]").forEach((element) => {
      put(element, age((now - Date.parse(element.dateTime)) / 1000));
      if (!element.dataset.local) {
        element.dataset.local = "1";
        element.title += `\n${new Date(element.dateTime).toLocaleString()} local time`;
      }
    });
    document.querySelectorAll("[data-since]").forEach((element) => {
      put(element, length((now - Date.parse(element.dataset.since)) / 1000));
    });
  }

  tick();
  window.setInterval(tick, 1000);
  document.addEventListener("htmx:after:swap", tick);
})();
