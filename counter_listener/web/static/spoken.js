// Records some seconds from the microphone and has the server recognise them.
//
// The element [data-spoken] (spoken.html) has a button. After it was pressed twice, or once and the time was up, a WAV
// of 16 kHz, mono, 16 bits goes to the address in data-spoken, and the element fires `spoken:heard`, whose detail is
// the JSON of the answer: {heard: "...", ...}. Before that it fires `spoken:begun`. Nothing is kept here or there.
"use strict";

const RATE = 16000;

// Begins to record. `finish()` ends it and gives the samples and their rate.
async function recordMicrophone(recorder) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
  const context = new AudioContext();
  const parts = [];
  try {
    await context.audioWorklet.addModule(recorder);
    const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
    node.port.onmessage = (event) => parts.push(event.data);
    context.createMediaStreamSource(stream).connect(node);
    await context.resume();
  } catch (error) {
    for (const track of stream.getTracks()) track.stop();
    throw error;
  }
  return {
    async finish() {
      for (const track of stream.getTracks()) track.stop();
      const rate = context.sampleRate;
      await context.close();
      return { samples: joined(parts), rate };
    },
  };
}

function joined(parts) {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

// The same sound at 16 kHz. The browser resamples.
async function resampled(samples, rate) {
  if (!samples.length) return samples;
  const context = new OfflineAudioContext(1, Math.ceil((samples.length * RATE) / rate), RATE);
  const buffer = context.createBuffer(1, samples.length, rate);
  buffer.copyToChannel(samples, 0);
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(context.destination);
  source.start();
  return (await context.startRendering()).getChannelData(0);
}

function wavOf(samples) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => view.setInt16(44 + 2 * i, Math.max(-1, Math.min(1, sample)) * 32767, true));
  return new Blob([view], { type: "audio/wav" });
}

class SpokenButton {
  constructor(element) {
    this.element = element;
    this.button = element.querySelector("button");
    this.label = element.querySelector("[data-idle]");
    this.status = element.querySelector("[role=status]");
    this.button.addEventListener("click", () => (this.recording ? this.finish() : this.begin()));
  }

  tell(text, bad = false) {
    this.status.textContent = text;
    this.status.classList.toggle("bad", bad);
  }

  async begin() {
    const data = this.element.dataset;
    if (!window.isSecureContext || !navigator.mediaDevices) return this.tell(data.insecure, true);
    this.button.disabled = true;
    try {
      this.recording = await recordMicrophone(data.recorder);
    } catch (error) {
      const denied = error.name === "NotAllowedError" || error.name === "SecurityError";
      return this.tell(denied ? data.denied : data.missing, true);
    } finally {
      this.button.disabled = false;
    }
    this.element.dispatchEvent(new CustomEvent("spoken:begun", { bubbles: true }));
    this.label.textContent = this.label.dataset.busy;
    this.button.setAttribute("aria-pressed", "true");
    let left = Number(data.most);
    const count = () => (left > 0 ? this.tell(data.recording.replace("{left}", left--)) : this.finish());
    count();
    this.clock = setInterval(count, 1000);
  }

  async finish() {
    const recording = this.recording;
    if (!recording) return;
    this.recording = null;
    clearInterval(this.clock);
    this.label.textContent = this.label.dataset.idle;
    this.button.removeAttribute("aria-pressed");
    this.button.disabled = true;
    this.tell(this.element.dataset.recognising);
    try {
      const { samples, rate } = await recording.finish();
      const most = Number(this.element.dataset.most) * RATE;
      await this.send(wavOf((await resampled(samples, rate)).slice(0, most)));
    } finally {
      this.button.disabled = false;
    }
  }

  async send(wav) {
    const data = this.element.dataset;
    let answer = {};
    try {
      const headers = { "X-CSRF-Token": data.csrf, "Content-Type": "audio/wav", Accept: "application/json" };
      answer = await (await fetch(data.spoken, { method: "POST", body: wav, headers })).json();
    } catch {
      return this.tell(data.failed, true);
    }
    if (answer.wrong) return this.tell(answer.wrong, true);
    this.tell(answer.heard ? "" : data.nothing, !answer.heard);
    this.element.dispatchEvent(new CustomEvent("spoken:heard", { bubbles: true, detail: answer }));
  }
}

const makeSpokenButtons = (root) => {
  for (const element of root.querySelectorAll("[data-spoken]")) {
    if (!element.dataset.ready) new SpokenButton(element);
    element.dataset.ready = "yes";
  }
};
document.addEventListener("htmx:load", (event) => makeSpokenButtons(event.target));
document.addEventListener("DOMContentLoaded", () => makeSpokenButtons(document));
