// The pages of the phrase set: what was said into the microphone is shown as what is typed; a form that takes long says so.
"use strict";

document.addEventListener("spoken:heard", (event) => {
  const { heard, html } = event.detail;
  const field = document.querySelector("input[name=said]");
  if (field) field.value = heard;
  const made = new DOMParser().parseFromString(html, "text/html").getElementById("tried");
  if (made) document.getElementById("tried").replaceWith(made);
});

document.addEventListener("submit", (event) => {
  const told = event.target.querySelector(".busy");
  if (!told) return;
  told.textContent = event.target.dataset.busy;
  for (const button of event.target.querySelectorAll("button")) button.disabled = true;
});

// Back from the next page: the form can be sent again.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const button of document.querySelectorAll("form[data-busy] button")) button.disabled = false;
  for (const told of document.querySelectorAll(".busy")) told.textContent = "";
});
