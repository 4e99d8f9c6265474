// What every page does in the browser. Without it the pages work too, with times in the zone of the server.
"use strict";

const SHAPES = {
  minute: { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" },
  second: { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" },
  day: { year: "numeric", month: "2-digit", day: "2-digit" },
  hour: { hour: "2-digit", minute: "2-digit" },
};

// Writes a time in the zone of the reader, in the shape in which the server wrote it: 2026-01-15 09:30.
function localText(moment, form) {
  const parts = new Intl.DateTimeFormat("en-GB", { ...SHAPES[form], hourCycle: "h23" }).formatToParts(moment);
  const of = Object.fromEntries(parts.map((part) => [part.type, part.value]));
  const date = of.year ? `${of.year}-${of.month}-${of.day}` : "";
  const clock = of.hour ? `${of.hour}:${of.minute}${of.second ? `:${of.second}` : ""}` : "";
  return [date, clock].filter(Boolean).join(" ");
}

function showLocalTimes(root) {
  for (const element of root.querySelectorAll("time[data-form]")) {
    const moment = new Date(element.dateTime);
    if (!Number.isNaN(moment.getTime())) element.textContent = localText(moment, element.dataset.form);
  }
}

// A choice that is sent as soon as it is made.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// A form that leads back to this very page, whatever its query is by now.
document.addEventListener("submit", (event) => {
  const address = event.target.querySelector("[data-address]");
  if (address) address.value = location.pathname + location.search.replace(/([?&])lang=[^&]*&?/, "$1");
});

document.addEventListener("htmx:load", (event) => showLocalTimes(event.target));
document.addEventListener("DOMContentLoaded", () => showLocalTimes(document));
