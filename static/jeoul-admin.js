/* The admin's own help: the desk's theme, the sum of weights, ages that grow, no button pressed twice.
   Everything works without it. */
(function () {
  "use strict";
  var root = document.documentElement;

  /* --- the theme: what was chosen last, on the desk or with the theme's own switch --- */
  try {
    var desk = document.querySelector('meta[name="jeoul-theme"]').content;
    if (localStorage.getItem("jeoulTheme") !== desk) {
      localStorage.setItem("jeoulTheme", desk);
      localStorage.setItem("adminTheme", JSON.stringify(desk));
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function (system) {
      var chosen = JSON.parse(localStorage.getItem("adminTheme") || '"auto"');
      if (chosen === "auto") root.classList.toggle("dark", system.matches);
    });
  } catch (error) { /* no storage: the theme's switch alone decides */ }

  /* --- the theme's icons are words in a font: nobody should hear them where there is another name --- */
  function hush() {
    document.querySelectorAll(".material-symbols-outlined:not([aria-hidden])").forEach(function (icon) {
      var host = icon.closest("a, button");
      var named = !host || host.title || host.getAttribute("aria-label") ||
        host.textContent.replace(icon.textContent, "").trim();
      if (named) icon.setAttribute("aria-hidden", "true");
    });
  }
  document.addEventListener("DOMContentLoaded", hush);
  document.addEventListener("htmx:afterSwap", hush);

  /* --- the sum of weights while a person types --- */
  function cents(text) {
    var found = /^(\d{1,3})(?:\.(\d{1,2}))?$/.exec(text.trim());
    return found ? Number(found[1]) * 100 + Number((found[2] || "0").padEnd(2, "0")) : null;
  }
  function told(inputs, words) {
    var sum = 0, unread = 0;
    inputs.forEach(function (input) {
      var value = input.value.trim() ? cents(input.value) : 0;
      if (value === null) unread += 1; else sum += value;
    });
    var gap = sum - 10000, parts = [words.total.replace("%(sum)s", (sum / 100).toFixed(2))];
    if (gap) parts.push((gap < 0 ? words.short : words.over).replace("%(gap)s", (Math.abs(gap) / 100).toFixed(2)));
    else if (!unread) parts.push(words.exact);
    if (unread) parts.push(words.unread.replace("%(n)s", unread));
    return { text: parts.join(" · "), off: gap !== 0 || unread > 0 };
  }
  function total() {
    var inputs = Array.prototype.slice.call(document.querySelectorAll("input[data-weight]"));
    if (!inputs.length) return;
    var box = document.createElement("p");
    box.id = "weights-total";
    box.className = "jeoul-total num";
    box.setAttribute("role", "status");
    box.setAttribute("aria-live", "polite");
    (inputs[0].closest("fieldset") || inputs[0].form).appendChild(box);
    function show() {
      var now = told(inputs, inputs[0].dataset);
      if (box.textContent !== now.text) box.textContent = now.text;
      box.classList.toggle("is-off", now.off);
    }
    inputs.forEach(function (input) { input.addEventListener("input", show); });
    show();
  }

  /* --- time that passes: ages grow, the clock and deadlines run --- */
  var born = new WeakMap();
  function since(node) {
    if (!born.has(node)) born.set(node, performance.now());
    return (performance.now() - born.get(node)) / 1000;
  }
  function span(seconds, words) {
    var s = Math.max(0, Math.floor(seconds));
    if (s < 60) return words.s.replace("%(n)d", s);
    if (s < 3600) return words.m.replace("%(n)d", Math.floor(s / 60));
    if (s < 86400) return words.h.replace("%(n)d", Math.floor(s / 3600));
    return words.d.replace("%(n)d", Math.floor(s / 86400));
  }
  function two(n) { return String(n).padStart(2, "0"); }
  function put(node, text) { if (node.textContent !== text) node.textContent = text; }
  function tick(words) {
    document.querySelectorAll("[data-age]").forEach(function (node) {
      var age = Number(node.dataset.age) + since(node);
      put(node, age < 5 ? words.now : words.ago.replace("%(span)s", span(age, words)));
    });
    document.querySelectorAll("[data-clock]").forEach(function (node) {
      var seoul = new Date(new Date(node.dataset.clock).getTime() + since(node) * 1000 + 9 * 3600 * 1000);
      put(node, two(seoul.getUTCMonth() + 1) + "." + two(seoul.getUTCDate()) + " " + two(seoul.getUTCHours()) + ":" + two(seoul.getUTCMinutes()));
    });
    document.querySelectorAll("[data-left]").forEach(function (node) {
      var left = Math.ceil(Number(node.dataset.left) - since(node));
      put(node, left <= 0 ? words.over : words.leftWord + " " + Math.floor(left / 60) + ":" + two(left % 60));
    });
  }

  /* --- one press is one act; all plans at once --- */
  function guard(event) {
    var form = event.target;
    if (!form.hasAttribute || !form.hasAttribute("data-once")) return;
    if (form.dataset.sent) { event.preventDefault(); event.stopImmediatePropagation(); return; }
    form.dataset.sent = "1";
    setTimeout(function () {
      form.querySelectorAll("button").forEach(function (each) { each.setAttribute("aria-disabled", "true"); });
    }, 0);
  }
  function pickAll() {
    var button = document.querySelector("[data-pick-all]");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", function () {
      document.querySelectorAll(".jeoul-pick").forEach(function (box) { box.checked = true; });
    });
  }

  /* --- the theme writes a chosen file's name into the text field of its own widget, and breaks where there is
     none: a plain field shows the name by itself, and is marked as looked after before the theme comes to it --- */
  function plainFiles() {
    document.querySelectorAll("input[type=file]").forEach(function (input) {
      var widget = input.parentNode.parentNode.parentNode;
      if (!widget || !widget.querySelector("input[type=text]")) input.hasChangeListener = true;
    });
  }

  /* --- a list of records keeps itself fresh, but never under somebody's hands --- */
  function liveOf(event) {
    var asked = event.detail.requestConfig, node = asked ? asked.elt : event.detail.elt;
    return node && node.classList && node.classList.contains("jeoul-live") ? node : null;
  }
  function inHand() {
    var form = document.getElementById("changelist-form"), chosen = getSelection();
    return document.hidden || !form || form.contains(document.activeElement) ||
      (chosen && !chosen.isCollapsed && form.contains(chosen.anchorNode));
  }
  function wait(event) {
    if (liveOf(event) && inHand()) event.preventDefault();
  }
  var shown = null;
  function rowsIn(page) {
    var rows = page.getElementById("result_list");
    return rows ? rows.textContent.replace(/\s+/g, " ") : "";
  }
  function keep(event) {
    var live = liveOf(event), answer = event.detail.xhr;
    if (!live || answer.status !== 200) return;
    var page = new DOMParser().parseFromString(answer.responseText, "text/html");
    if (!page.getElementById("changelist-form")) { location.reload(); event.detail.shouldSwap = false; return; }
    var fresh = document.createElement("span");
    fresh.dataset.age = "0";
    live.querySelector("[data-age]").replaceWith(fresh);
    if (shown === null) shown = rowsIn(document);
    var next = rowsIn(page);
    event.detail.shouldSwap = next !== shown && !inHand();
    if (event.detail.shouldSwap) shown = next;
  }
  addEventListener("htmx:beforeRequest", wait);
  addEventListener("htmx:beforeSwap", keep);

  /* --- what waits is announced when it changes; ages are not --- */
  function announce(event) {
    var news = event.target.querySelector && event.target.querySelector("[data-announce]");
    var spoken = document.getElementById("announce");
    if (news && spoken && spoken.textContent !== news.dataset.announce) spoken.textContent = news.dataset.announce;
  }

  addEventListener("htmx:afterSwap", announce);
  addEventListener("submit", guard, true);
  addEventListener("pageshow", function (event) { if (event.persisted) location.reload(); });
  addEventListener("DOMContentLoaded", function () {
    total();
    pickAll();
    plainFiles();
    var banner = document.querySelector(".jeoul-banner");
    if (!banner) return;
    tick(banner.dataset);
    setInterval(function () { tick(banner.dataset); }, 1000);
  });
})();
