// Reviewing by keys: one key gives a verdict on what is chosen; on the queue the sound plays by itself.
"use strict";

const card = () => document.getElementById("card");
const inField = (target) => target.closest("input, select, textarea");
let stop = null; // second at which playing stops

// Where keys act: the question of the queue, or the chosen verdict of a visit.
function scope() {
  return card() ?? document.querySelector(".item.current");
}

// Plays the question of the queue from where its words begin, two seconds before.
function playQuestion() {
  const question = document.querySelector(".question[data-from]");
  const audio = document.querySelector("#card audio");
  if (!question || !audio) return;
  const begin = () => {
    audio.currentTime = Number(question.dataset.from);
    stop = question.dataset.to ? Number(question.dataset.to) : null;
    audio.play().catch(() => {}); // a browser may want a key or a click first
  };
  if (audio.readyState > 0) begin();
  else audio.addEventListener("loadedmetadata", begin, { once: true });
}

function halt(event) {
  if (!event.target.matches("#card audio") || stop === null || event.target.currentTime < stop) return;
  stop = null;
  event.target.pause();
}
document.addEventListener("timeupdate", halt, true);

const QUEUE = {
  " ": (audio) => (audio.paused ? audio.play().catch(() => {}) : audio.pause()),
  Enter: () => playQuestion(),
  ArrowLeft: (audio) => (audio.currentTime = Math.max(0, audio.currentTime - 2)),
  ArrowRight: (audio) => (audio.currentTime += 2),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (inField(event.target)) {
    const isDone = event.key === "Escape" || (event.key === "Enter" && event.target.matches(".decisions ~ .fields input"));
    if (!isDone) return;
    event.preventDefault(); // Enter in a note would press the first button
    event.target.blur();
    return;
  }
  const here = scope();
  if (!here) return;
  const key = event.key.toLowerCase();
  const button = here.querySelector(`[data-key="${CSS.escape(key)}"]`);
  const field = here.querySelector(`[data-shortcut="${CSS.escape(key)}"]`);
  const audio = document.querySelector("#card audio");
  if (button) button.click();
  else if (field) {
    const fold = field.closest("details");
    if (fold) fold.open = true;
    field.focus();
  } else if (audio && QUEUE[event.key] && !event.target.closest("button, a, summary, audio")) QUEUE[event.key](audio);
  else return;
  event.preventDefault();
});

// After a word was given: the next question plays; on a visit the same verdict stays chosen.
let chosen = null;
document.addEventListener("htmx:beforeRequest", () => {
  chosen = document.querySelector(".item.current")?.id ?? null;
});
document.addEventListener("htmx:afterSettle", () => {
  if (card()) {
    card().focus({ preventScroll: true });
    playQuestion();
  } else if (chosen) document.getElementById(chosen)?.classList.add("current");
});

// What the machine missed: the field takes the second at which the sound stands.
document.addEventListener("focusin", (event) => {
  const audio = document.getElementById("sound");
  if (!event.target.matches("[data-player-time]") || event.target.value || !audio) return;
  const at = Math.floor(audio.currentTime);
  event.target.value = `${Math.floor(at / 60)}:${String(at % 60).padStart(2, "0")}`;
});

if (card()) {
  card().focus({ preventScroll: true });
  playQuestion();
}
