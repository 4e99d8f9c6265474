// The page beside the clerk: shows each state that the listener sends, and sends what a button or key orders.
"use strict";

const part = (id) => document.getElementById(id);
const texts = document.body.dataset;
const KEYS = { n: "wrong", u: "undo", " ": "space" };
let ended = false;

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function setText(id, text) {
  const one = part(id);
  if (one.textContent !== text) one.textContent = text;
  one.hidden = text === "";
}

// Fills a list only where it has changed, or a reader of the screen would say it again with every level.
function setList(id, name, lines) {
  const list = part(id);
  list.hidden = lines.length === 0;
  if (list.dataset.shown === JSON.stringify(lines)) return;
  list.dataset.shown = JSON.stringify(lines);
  list.replaceChildren(...lines.map((line) => element(name, "", line)));
}

function showStages(stages) {
  const shown = JSON.stringify(stages.map((stage) => [stage.title, stage.phrases.map((each) => each.id)]));
  const box = part("stages");
  if (box.dataset.shown !== shown) {
    box.dataset.shown = shown;
    box.replaceChildren(...stages.map(stageElement));
  }
  for (const each of stages.flatMap((stage) => stage.phrases)) {
    const item = box.querySelector(`[data-id="${CSS.escape(each.id)}"]`);
    if (item.dataset.mark !== each.mark) item.dataset.mark = each.mark;
  }
}

function stageElement(stage) {
  const section = element("section", stage.words ? "courtesy" : "");
  const list = element("ul");
  for (const each of stage.phrases) {
    const item = element("li", "", each.title);
    item.dataset.id = each.id;
    list.append(item);
  }
  section.append(element("h2", "", stage.title), list);
  return section;
}

function showLast(parts) {
  const line = part("last");
  line.hidden = parts.length === 0;
  if (line.dataset.shown === JSON.stringify(parts)) return;
  line.dataset.shown = JSON.stringify(parts);
  line.replaceChildren(line.dataset.title, ...parts.map(([text, colour]) => element("span", colour, text)));
}

function show(state) {
  document.body.dataset.state = state.state;
  document.body.classList.toggle("open", state.open);
  if (state.counter) setText("counter", state.counter);
  setText("told", state.told);
  part("level").value = state.state === "stopped" ? -60 : state.level;
  setList("wrong", "li", state.wrong);
  setText("visit", state.visit);
  setText("hint", state.hint);
  setList("better", "li", state.better);
  showStages(state.stages);
  setText("words", state.words);
  setText("marked", state.marked);
  part("mark").hidden = state.marked === "";
  part("not-me").hidden = state.marked !== "";
  showLast(state.last);
  setList("earlier", "li", state.earlier);
  part("before").hidden = state.earlier.length === 0;
  setList("day", "p", state.day);
  ended = state.state === "stopped";
  part("keys").hidden = ended;
}

function showBroken(told) {
  document.body.dataset.state = "broken";
  setText("told", "");
  part("level").value = -60;
  setList("wrong", "li", [told]);
}

function order(what) {
  fetch("order", { method: "POST", body: what, headers: { "Content-Type": "application/octet-stream" } }).catch(() => {});
}

function setLine(isLine) {
  document.body.classList.toggle("line", isLine);
  part("size").setAttribute("aria-pressed", String(isLine));
  history.replaceState(null, "", isLine ? "?line" : location.pathname);
}

const source = new EventSource("events");
source.addEventListener("message", (event) => {
  const state = JSON.parse(event.data);
  if (state) show(state);
  if (ended) source.close();
});
source.addEventListener("error", () => {
  if (!ended) showBroken(source.readyState === EventSource.CLOSED ? texts.gone : texts.lost);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.order) order(button.dataset.order);
  if (button?.id === "size") setLine(!document.body.classList.contains("line"));
});
document.addEventListener("keydown", (event) => {
  const what = KEYS[event.key.toLowerCase()];
  const pressesButton = event.key === " " && event.target.closest("button, summary");
  if (!what || pressesButton || event.repeat || event.ctrlKey || event.altKey || event.metaKey || ended) return;
  event.preventDefault();
  order(what);
});
setLine(new URLSearchParams(location.search).has("line"));
