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
    if (seconds < 0 && rest >= 60 && rest < 2592000) return `in ${length(rest).replace(/ 0 (s|min|h)$/, "")}`;
    const words = `${Math.floor(rest / size)} ${unit}`;
    return seconds < 0 ? `in ${words}` : `${words} ago`;
  }

  function length(seconds) {
    if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
    return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
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
