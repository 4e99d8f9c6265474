// The player of a visit: a waveform with marks of every hit, gap and expected window; a click or a key plays a moment.
"use strict";

const STEP = 2; // seconds, of the arrow keys
const AROUND = 6; // seconds that are shown before and after the visit
const MARK = 0.12; // seconds: the least width of a mark

const player = document.querySelector(".player");
const sound = document.getElementById("sound");
let stopAt = null;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function fade(name, percent) {
  return `color-mix(in srgb, ${colour(name)} ${percent}%, transparent)`;
}

// Plays from a second on; with an end, up to there.
function play(from, to) {
  sound.currentTime = Math.max(0, from);
  stopAt = to ?? null;
  sound.play().catch(() => {}); // a browser may want a click first
}

sound.addEventListener("timeupdate", () => {
  if (stopAt !== null && sound.currentTime >= stopAt) {
    stopAt = null;
    sound.pause();
  }
});
sound.addEventListener("seeking", () => {
  if (stopAt !== null && sound.currentTime > stopAt) stopAt = null;
});

const items = () => [...document.querySelectorAll(".item[data-from]")];

function choose(item, { focus = false } = {}) {
  for (const other of items()) other.classList.toggle("current", other === item);
  if (!item) return;
  item.scrollIntoView({ block: "nearest" });
  if (focus) item.querySelector("button")?.focus({ preventScroll: true });
}

function playItem(item) {
  choose(item);
  play(Number(item.dataset.from), item.dataset.to ? Number(item.dataset.to) : null);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.play");
  if (!button) return;
  const item = button.closest(".item[data-from]");
  if (item) playItem(item);
  else play(Number(button.dataset.from));
});

function move(by) {
  const all = items();
  const now = all.findIndex((item) => item.classList.contains("current"));
  const next = all[Math.min(all.length - 1, Math.max(0, now + by))];
  if (next) choose(next, { focus: true });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, audio")) return;
  const current = document.querySelector(".item.current");
  const onButton = event.target.closest("button, a, summary");
  const actions = {
    " ": () => (sound.paused ? sound.play().catch(() => {}) : sound.pause()),
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(-1),
    ArrowUp: () => move(-1),
    ArrowLeft: () => (sound.currentTime = Math.max(0, sound.currentTime - STEP)),
    ArrowRight: () => (sound.currentTime += STEP),
  };
  if (event.key === "Enter" && !onButton && current) playItem(current);
  else if (event.key === " " && onButton && !onButton.matches(".play")) return;
  else if (actions[event.key]) actions[event.key]();
  else return;
  event.preventDefault();
});

// The marks on the waveform, from the list below it.
function addMarks(regions) {
  for (const item of document.querySelectorAll(".item[data-start]")) {
    const start = Number(item.dataset.start);
    const isSpan = "window" in item.dataset || "gap" in item.dataset;
    const end = isSpan ? Number(item.dataset.end) : Math.max(Number(item.dataset.end), start + MARK);
    const tone = { heard: "--good", not_heard: "--bad", forbidden: "--bad", broken: "--bad" }[item.dataset.verdict] ?? "--doubt";
    if ("window" in item.dataset && item.dataset.verdict === "heard") continue;
    const shade = "gap" in item.dataset ? fade("--quiet", 35) : fade(tone, isSpan ? 12 : tone === "--good" ? 20 : 34);
    const region = regions.addRegion({ start, end, drag: false, resize: false, color: shade });
    region.on("click", (event) => {
      event.stopPropagation();
      playItem(item);
    });
  }
}

async function draw() {
  const answer = await fetch(player.dataset.peaks);
  if (!answer.ok) return;
  const { per_second: perSecond, values } = await answer.json();
  const seconds = values.length / perSecond;
  const highest = Math.max(1, ...values.slice(0, 100000));
  const container = document.getElementById("wave");
  const first = Math.max(0, Number(player.dataset.start) - AROUND);
  const last = Math.min(seconds, Number(player.dataset.end) + AROUND);
  const zoomed = last - first < seconds * 0.8;
  const regions = WaveSurfer.Regions.create();
  const wave = WaveSurfer.create({
    container,
    media: sound,
    peaks: [values.map((value) => value / highest)],
    duration: seconds,
    height: 88,
    barWidth: 2,
    barGap: 1,
    barRadius: 2,
    waveColor: fade("--quiet", 55),
    progressColor: colour("--accent"),
    cursorColor: colour("--ink"),
    cspNonce: player.dataset.nonce,
    minPxPerSec: zoomed ? container.clientWidth / (last - first) : 0,
    plugins: [regions],
  });
  wave.on("ready", () => {
    if (zoomed) wave.setScrollTime(first);
    addMarks(regions);
  });
}

draw();
const asked = /^#t=([\d.]+)/.exec(location.hash);
if (asked) sound.addEventListener("loadedmetadata", () => (sound.currentTime = Math.max(0, Number(asked[1]) - STEP)), { once: true });
