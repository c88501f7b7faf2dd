/* Shows the running total of weights under the last of them, while a person types. */
addEventListener("DOMContentLoaded", function () {
  "use strict";
  var inputs = Array.prototype.slice.call(document.querySelectorAll("input[data-weight]"));
  if (!inputs.length) return;
  var box = document.createElement("p");
  box.setAttribute("role", "status");
  box.className = "jeoul-total font-semibold px-3 py-2";
  var fieldset = inputs[0].closest("fieldset") || inputs[0].form;
  fieldset.appendChild(box);
  function show() {
    var cents = inputs.reduce(function (sum, input) {
      var value = /^\d{1,3}(\.\d{1,2})?$/.test(input.value.trim()) ? Number(input.value) : 0;
      return sum + Math.round(value * 100);
    }, 0);
    var words = inputs[0].dataset, gap = cents - 10000;
    box.textContent = words.total + " " + (cents / 100).toFixed(2) + " %"
      + (gap ? " · " + (Math.abs(gap) / 100).toFixed(2) + " % " + (gap < 0 ? words.short : words.over) : " ✓");
    box.classList.toggle("text-red-600", gap !== 0);
    box.classList.toggle("text-green-700", gap === 0);
  }
  inputs.forEach(function (input) { input.addEventListener("input", show); });
  show();
});
