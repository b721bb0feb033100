// Set-up that every page shares: live refresh, failure notice, keys, dialogs, copying, the theme switch.
(() => {
  "use strict";

  const notice = document.getElementById("connection-notice");
  let failed = null;

  // A background tab asks for nothing; it asks again as soon as somebody looks.
  document.addEventListener("htmx:before:request", (event) => {
    if (document.hidden && event.detail.ctx.sourceElement.matches("[data-live]")) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) document.querySelectorAll("[data-live]").forEach((element) => htmx.trigger(element, "refresh"));
  });

  function showFailure(event) {
    failed = event.detail.ctx?.sourceElement ?? null;
    const status = event.detail.ctx?.response?.status;
    notice.querySelector("[data-what]").textContent = status ? `The server answered ${status}.` : "The server cannot be reached.";
    notice.hidden = false;
  }
  document.addEventListener("htmx:error", showFailure);
  document.addEventListener("htmx:response:error", showFailure);
  document.addEventListener("htmx:after:request", (event) => {
    if (event.detail.ctx.response.status < 400) notice.hidden = true;
  });
  notice?.querySelector("button").addEventListener("click", () => {
    if (failed?.isConnected && failed.matches("[data-live]")) htmx.trigger(failed, "refresh");
    else window.location.reload();
  });

  // Dialogs: a link with data-dialog opens its page's form without leaving the page; without script it is a page.
  const dialog = document.getElementById("dialog");
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    await htmx.ajax("GET", link.href, { target: "#dialog-content", swap: "innerHTML", source: link });
    if (!dialog.querySelector("#dialog-content").childElementCount) return;
    dialog.querySelector("h2").textContent = dialog.querySelector("[data-title]")?.dataset.title ?? link.textContent.trim();
    dialog.showModal();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close-dialog]") || event.target === dialog) {
      event.preventDefault();
      event.target.closest("dialog")?.close();
    }
    const toast = event.target.closest("[data-dismiss]");
    if (toast) toast.closest(".notice").remove();
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = button.dataset.copy || document.getElementById(button.dataset.copyFrom)?.textContent || "";
    await navigator.clipboard.writeText(source);
    const label = button.querySelector("[data-label]");
    const before = label?.textContent;
    button.classList.add("copied");
    if (label) label.textContent = "Copied";
    window.setTimeout(() => {
      button.classList.remove("copied");
      if (label) label.textContent = before;
    }, 1200);
  });

  // Theme: system, light, dark. A cookie, so that the server writes the attribute and no page flashes.
  const themes = ["system", "light", "dark"];
  const themeButton = document.getElementById("theme");
  function showTheme(theme) {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    if (!themeButton) return;
    themeButton.setAttribute("aria-label", `Theme: ${theme}`);
    themeButton.title = `Theme: ${theme}`;
    themeButton.querySelectorAll("svg").forEach((icon) => { icon.toggleAttribute("hidden", icon.dataset.theme !== theme); });
    document.dispatchEvent(new CustomEvent("themechange"));
  }
  themeButton?.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme ?? "system";
    const next = themes[(themes.indexOf(now) + 1) % themes.length];
    document.cookie = `theme=${next}; path=/; max-age=31536000; samesite=lax`;
    showTheme(next);
  });
  if (themeButton) showTheme(document.documentElement.dataset.theme ?? "system");

  // Keys: "/" search, j and k move through rows, Enter opens, "?" shows the keys.
  function moveRow(by) {
    const links = [...document.querySelectorAll(".row-link")];
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    links[Math.min(Math.max(at + by, 0), links.length - 1)].focus();
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
    const actions = {
      "/": () => document.querySelector("[data-search]")?.focus(),
      j: () => moveRow(1),
      k: () => moveRow(-1),
      "?": () => document.getElementById("keys").showModal(),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  });
})();
