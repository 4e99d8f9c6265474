// Practice: says the line of the customer, and sends on what was recognised as the answer.
"use strict";

// Only voices of the machine itself: those of a service would send the text away.
function chineseVoice() {
  if (!("speechSynthesis" in window)) return null;
  return speechSynthesis.getVoices().find((voice) => voice.localService && /^(zh|cmn)\b/i.test(voice.lang)) || null;
}

function speak(customer) {
  const voice = chineseVoice();
  if (!voice) return;
  const said = new SpeechSynthesisUtterance(customer.dataset.say);
  said.voice = voice;
  said.lang = voice.lang;
  speechSynthesis.cancel();
  speechSynthesis.speak(said);
}

function showVoice(customer) {
  const has = chineseVoice() !== null;
  customer.querySelector(".again").hidden = !has;
  customer.querySelector(".voice").textContent = has ? "" : customer.dataset.noVoice;
  return has;
}

function beginLine(root) {
  const customer = root.querySelector("[data-say]");
  if (!customer || customer.dataset.ready) return;
  customer.dataset.ready = "yes";
  if (showVoice(customer)) speak(customer);
  else if ("speechSynthesis" in window) {
    // browsers that load their voices late tell so
    speechSynthesis.addEventListener("voiceschanged", () => showVoice(customer) && speak(customer), { once: true });
  }
  document.querySelector("#answer input[name=text]").focus();
}

document.addEventListener("click", (event) => {
  if (event.target.closest(".again")) speak(document.querySelector("[data-say]"));
  if (event.target.closest("[data-retry]")) document.querySelector("#answer input[name=text]").select();
});

document.addEventListener("spoken:begun", () => "speechSynthesis" in window && speechSynthesis.cancel());

document.addEventListener("spoken:heard", (event) => {
  const form = document.querySelector("#answer");
  if (!form || !event.detail.heard) return;
  // words come with spaces between them; a pause between two utterances ends a clause
  const text = event.detail.heard.replace(/([^\x00-\x7f]) +(?=[^\x00-\x7f])/g, "$1");
  form.elements.text.value = text.slice(0, form.elements.text.maxLength);
  form.requestSubmit();
});

document.addEventListener("htmx:load", (event) => beginLine(event.target.closest?.("#dialogue") || event.target));
document.addEventListener("DOMContentLoaded", () => beginLine(document));
