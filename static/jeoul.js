/* Keeps the desk's pages alive: hints over a WebSocket, growing ages, and no button pressed twice.
   Everything works without it; the pages then refresh by polling or by hand. */
(function () {
  "use strict";
  var body = document.body;
  var words = body.dataset;

  /* --- the socket: a hint, never a fact --- */
  var state = document.getElementById("live-state");
  var wait = 1000;
  function show(name, text) {
    if (!state) return;
    state.dataset.state = name;
    document.getElementById("live-text").textContent = text;
  }
  function open() {
    var scheme = location.protocol === "https:" ? "wss://" : "ws://";
    var socket = new WebSocket(scheme + location.host + words.socket);
    socket.onopen = function () { wait = 1000; show("live", words.live); };
    socket.onmessage = function (event) {
      var run;
      try { run = JSON.parse(event.data).run; } catch (error) { return; }
      body.dispatchEvent(new CustomEvent("jeoul:run"));
      if (Number.isInteger(run)) body.dispatchEvent(new CustomEvent("jeoul:run-" + run));
    };
    socket.onclose = function (event) {
      show("polling", words.polling);
      if (event.code === 4401 || event.code === 4403) return;
      setTimeout(open, wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, 60000);
    };
  }
  if (words.socket && "WebSocket" in window) open();
  addEventListener("offline", function () { show("lost", words.lost); });
  addEventListener("online", function () { show("polling", words.polling); });

  /* --- time that passes: ages grow, the clock and deadlines run --- */
  var born = new WeakMap();
  function since(node) {
    if (!born.has(node)) born.set(node, performance.now());
    return (performance.now() - born.get(node)) / 1000;
  }
  function span(seconds) {
    var s = Math.max(0, Math.floor(seconds));
    if (s < 60) return words.s.replace("%(n)d", s);
    if (s < 3600) return words.m.replace("%(n)d", Math.floor(s / 60));
    if (s < 86400) return words.h.replace("%(n)d", Math.floor(s / 3600));
    return words.d.replace("%(n)d", Math.floor(s / 86400));
  }
  function put(node, text) { if (node.textContent !== text) node.textContent = text; }
  function two(n) { return String(n).padStart(2, "0"); }
  function tick() {
    document.querySelectorAll("[data-age]").forEach(function (node) {
      var age = Number(node.dataset.age) + since(node);
      put(node, age < 5 ? words.now : words.ago.replace("%(span)s", span(age)));
    });
    document.querySelectorAll("[data-clock]").forEach(function (node) {
      var at = new Date(new Date(node.dataset.clock).getTime() + since(node) * 1000);
      var seoul = new Date(at.getTime() + 9 * 3600 * 1000);
      put(node, two(seoul.getUTCMonth() + 1) + "." + two(seoul.getUTCDate()) + " " + two(seoul.getUTCHours()) + ":" + two(seoul.getUTCMinutes()));
    });
    document.querySelectorAll("[data-left]").forEach(function (node) {
      var left = Math.ceil(Number(node.dataset.left) - since(node));
      put(node, left <= 0 ? words.over : words.leftWord + " " + Math.floor(left / 60) + ":" + two(left % 60));
    });
  }
  setInterval(tick, 1000);
  tick();

  /* --- one press is one act --- */
  addEventListener("submit", function (event) {
    var form = event.target;
    if (form.dataset.sent) { event.preventDefault(); event.stopImmediatePropagation(); return; }
    form.dataset.sent = "1";
    var button = event.submitter || form.querySelector("button[type=submit]");
    setTimeout(function () {
      form.querySelectorAll("button").forEach(function (each) { each.setAttribute("aria-disabled", "true"); });
      if (button && button.dataset.busy) button.lastChild.textContent = button.dataset.busy;
    }, 0);
    if (button && button.dataset.busy) {
      document.querySelectorAll(".overview .part").forEach(function (part) { part.classList.add("is-busy"); });
    }
  }, true);
  addEventListener("pageshow", function (event) { if (event.persisted) location.reload(); });
  addEventListener("htmx:afterRequest", function (event) {
    var form = event.target.closest ? event.target.closest("form") : null;
    if (!form) return;
    delete form.dataset.sent;
    form.querySelectorAll("button").forEach(function (each) { each.removeAttribute("aria-disabled"); });
  });

  /* --- approvals and fills are announced; ticks are not --- */
  addEventListener("htmx:afterSwap", function () {
    var spoken = document.getElementById("announce");
    var news = document.querySelector("[data-announce]");
    if (spoken && news && spoken.textContent !== news.dataset.announce) spoken.textContent = news.dataset.announce;
    tick();
  });
  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.phone-menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.removeAttribute("open");
    });
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.phone-menu[open]").forEach(function (menu) {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    });
  });
})();
