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
    notice.hidden = true;
    if (!failed?.isConnected) window.location.reload();
    else if (failed.matches("[data-live]")) htmx.trigger(failed, "refresh");
    else if (failed.matches("form")) htmx.trigger(failed, "submit");
    else if (failed.matches("a")) failed.click();
    else window.location.reload();
  });

  // On a phone the bar of links is wider than the screen: it begins where the person is.
  const rail = document.querySelector(".rail"), here = rail?.querySelector("[aria-current]");
  if (here) rail.scrollLeft = here.offsetLeft - (rail.clientWidth - here.offsetWidth) / 2;

  // Something that a person asked for and that takes longer than a moment shows a bar at the top; refreshes do not.
  const busy = document.getElementById("busy");
  let underWay = 0;
  function showBusy(event, change) {
    if (event.detail.ctx?.sourceElement?.matches("[data-live], .rail-foot")) return;
    underWay = Math.max(underWay + change, 0);
    busy.toggleAttribute("data-on", underWay > 0);
  }
  document.addEventListener("htmx:before:request", (event) => { if (!event.defaultPrevented) showBusy(event, 1); });
  document.addEventListener("htmx:finally:request", (event) => showBusy(event, -1));
  // A form that was sent is not sent twice by a nervous finger; going back in the browser makes it usable again.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.hasAttribute("hx-get")) return;
    busy.toggleAttribute("data-on", true);
    const button = event.submitter;
    window.setTimeout(() => button?.setAttribute("disabled", ""), 0);
  });
  window.addEventListener("pageshow", () => {
    busy.toggleAttribute("data-on", false);
    document.querySelectorAll("form button[type=submit][disabled]:not([data-disabled])").forEach((button) => button.removeAttribute("disabled"));
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

  // The clipboard is there on https and localhost only, and a browser may refuse it: then the old way, by a selection.
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "visually-hidden";
      (document.querySelector("dialog[open]") ?? document.body).append(area);
      area.select();
      const isDone = document.execCommand("copy");
      area.remove();
      return isDone;
    }
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = button.dataset.copy || document.getElementById(button.dataset.copyFrom)?.textContent || "";
    if (!await copy(source)) return;
    const label = button.querySelector("[data-label]");
    const before = label?.textContent;
    button.classList.add("copied");
    if (label) label.textContent = "Copied";
    window.setTimeout(() => {
      button.classList.remove("copied");
      if (label) label.textContent = before;
    }, 1200);
  });

  // The operation's drawer: its address is in the browser's bar, closing goes back to the page's own.
  function closeDrawer() {
    document.getElementById("drawer").replaceChildren();
    const address = new URL(window.location.href);
    const operation = address.searchParams.get("operation");
    address.searchParams.delete("operation");
    history.pushState(null, "", address);
    if (operation) document.querySelector(`[data-operation="${CSS.escape(operation)}"]`)?.focus({ preventScroll: true });
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-close-drawer]");
    if (!link || !document.getElementById("drawer")) return;
    event.preventDefault();
    closeDrawer();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.querySelector("#drawer .drawer") && !document.querySelector("dialog[open]")) closeDrawer();
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const title = event.detail.ctx.sourceElement.matches("[data-live]") ? null : document.querySelector("#drawer h2[tabindex]");
    title?.focus({ preventScroll: true });
  });

  // A followed history keeps its end in sight, unless somebody has scrolled up to read.
  let wasAtEnd = true;
  document.addEventListener("htmx:before:swap", () => {
    const end = document.querySelector("[data-follow]");
    if (end) wasAtEnd = end.getBoundingClientRect().top < window.innerHeight + 80;
  });
  document.addEventListener("htmx:after:swap", () => {
    if (wasAtEnd) document.querySelector("[data-follow]")?.scrollIntoView({ block: "end" });
  });

  // JSON editors: say at once what is wrong, indent on demand. The server checks again.
  function checkJson(area) {
    const output = area.form?.querySelector("[data-json-state]");
    if (!output) return;
    const text = area.value.trim();
    output.classList.remove("good", "bad");
    if (!text) { output.textContent = "No input"; return; }
    try {
      JSON.parse(text);
      output.textContent = `Valid JSON, ${new TextEncoder().encode(text).length.toLocaleString("en")} bytes`;
      output.classList.add("good");
    } catch (error) {
      output.textContent = error.message;
      output.classList.add("bad");
    }
  }
  document.addEventListener("input", (event) => { if (event.target.matches("[data-json]")) checkJson(event.target); });
  document.querySelectorAll("[data-json]").forEach(checkJson);
  document.addEventListener("click", (event) => {
    const format = event.target.closest("[data-json-format]");
    const fill = event.target.closest("[data-fill]");
    if (fill) document.getElementById(fill.dataset.fill).value = fill.dataset.value;
    if (!format) return;
    const area = document.getElementById(format.dataset.jsonFormat);
    try { area.value = JSON.stringify(JSON.parse(area.value), null, 2); } catch { area.focus(); }
    checkJson(area);
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

  // Keys: "/" search, j and k move through rows, Enter opens, g and a letter go to a page, n starts, "?" shows the keys.
  let isGoing = false;
  function goTo(key) {
    const link = document.querySelector(`.rail [data-go="${CSS.escape(key)}"]`);
    link?.click();
    return Boolean(link);
  }
  function moveRow(by) {
    const links = [...document.querySelectorAll(".row-link, [data-row]")];
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    links[Math.min(Math.max(at + by, 0), links.length - 1)].focus();
  }
  // In the inbox: to the button of the row; Enter presses it, so that a slip of a finger decides nothing.
  function toButton(value) {
    const row = document.activeElement?.closest("li.callback, form.decision, .decision") ?? document.querySelector("form.decision, .decision");
    row?.querySelector(`button[name=decision][value=${value}]:not([disabled])`)?.focus();
  }
  document.getElementById("keys-button")?.addEventListener("click", () => document.getElementById("keys").showModal());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
    if (isGoing) {
      isGoing = false;
      if (goTo(event.key)) { event.preventDefault(); return; }
    }
    const actions = {
      g: () => {
        isGoing = true;
        window.setTimeout(() => { isGoing = false; }, 1500);
      },
      n: () => document.querySelector(".top-start")?.click(),
      "/": () => document.querySelector("[data-search]")?.focus(),
      a: () => toButton("approve"),
      r: () => toButton("reject"),
      j: () => moveRow(1),
      k: () => moveRow(-1),
      "?": () => document.getElementById("keys").showModal(),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  });
})();
