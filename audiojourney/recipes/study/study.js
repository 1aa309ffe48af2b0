"use strict";
// A blind test: which of two sounds? Answers stay in this browser until they are saved to a file; nothing is sent.
(() => {
  const study = JSON.parse(document.getElementById("study").textContent);
  const find = (id) => document.getElementById(id);
  const sounds = { left: find("sound-left"), right: find("sound-right") };
  const choices = study.ties ? ["left", "tie", "right"] : ["left", "right"];
  const storageKey = `aj-study-${study.study}`;
  let keeps = true; // whether this browser keeps answers
  let state = null; // of the listener: name, session, answers by trial, place
  let order = []; // numbers of trials, as this listener meets them
  let flipped = false; // whether this listener hears the sides exchanged
  let shownAt = 0;

  // -- Randomness that depends on the study and the listener alone (FNV-1a, then mulberry32).
  const hash = (text) => {
    let value = 0x811c9dc5;
    for (const letter of new TextEncoder().encode(text)) value = Math.imul(value ^ letter, 0x01000193) >>> 0;
    return value;
  };
  const random = (seed) => () => {
    seed = (seed + 0x6d2b79f5) >>> 0;
    let value = Math.imul(seed ^ (seed >>> 15), seed | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
  const shuffled = (count, next) => {
    const numbers = Array.from({ length: count }, (_, number) => number);
    for (let last = count - 1; last > 0; last -= 1) {
      const other = Math.floor(next() * (last + 1));
      [numbers[last], numbers[other]] = [numbers[other], numbers[last]];
    }
    return numbers;
  };

  // -- What is kept in the browser, a state for each listener.
  const plain = (name) => name.trim().toLowerCase().replace(/\s+/g, " ");
  const kept = () => {
    try {
      return JSON.parse(localStorage.getItem(storageKey)) || { listeners: {} };
    } catch {
      return { listeners: {} };
    }
  };
  const keep = () => {
    try {
      const all = kept();
      all.listeners[plain(state.listener)] = state;
      all.last = state.listener;
      localStorage.setItem(storageKey, JSON.stringify(all));
    } catch {
      keeps = false;
    }
    find("not-kept").hidden = keeps;
  };
  const session = () => [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const fresh = (name) => ({ listener: name, session: session(), started: new Date().toISOString(), place: 0, answers: {} });

  // -- Questions.
  const asked = (trial) => study.criteria.filter((criterion) => trial.prompt || criterion.key !== "alignment");
  const answerOf = (number) => state.answers[number] || { votes: {}, plays: { left: 0, right: 0 }, seconds: 0 };
  const isAnswered = (number) => asked(study.trials[number]).every((criterion) => answerOf(number).votes[criterion.key]);
  const isDone = (number) => isAnswered(number) || Boolean(answerOf(number).broken); // what cannot be played is passed
  const countDone = () => order.filter(isDone).length;
  const current = () => order[state.place];
  const sideOf = (side) => ((side === "left") === flipped ? 1 : 0); // which of a trial's two sounds is on this side

  const show = (name) => {
    for (const view of ["start", "trial", "end"]) find(view).hidden = view !== name;
    find("save-bar").hidden = name !== "trial";
    for (const sound of Object.values(sounds)) sound.pause();
    window.scrollTo(0, 0);
  };

  const progress = () => {
    const done = countDone();
    find("bar").value = done;
    find("bar").max = order.length;
    find("done").textContent = `${done} of ${order.length} answered`;
  };

  const element = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };

  const question = (criterion, vote) => {
    const box = element("fieldset", undefined, { "data-criterion": criterion.key });
    box.append(element("legend", criterion.question));
    const row = element("div", undefined, { class: "choices" });
    choices.forEach((choice, index) => {
      const label = element("label", undefined, { class: "choice" });
      const input = element("input", undefined, { type: "radio", name: `vote-${criterion.key}`, value: choice });
      input.checked = vote === choice;
      input.addEventListener("change", () => decide(criterion.key, choice));
      const words = { left: "A", tie: "No difference", right: "B" }[choice];
      label.append(input, element("span", words), element("kbd", `${index + 1}`, { "aria-hidden": "true" }));
      row.append(label);
    });
    box.append(row);
    return box;
  };

  const mark = () => {
    const number = current();
    const answer = answerOf(number);
    const heard = answer.plays.left > 0 && answer.plays.right > 0;
    for (const side of ["left", "right"]) find(`panel-${side}`).classList.toggle("heard", answer.plays[side] > 0);
    find("listen-first").hidden = heard && !answer.broken;
    find("listen-first").textContent = answer.broken
      ? "This browser cannot play one of these sounds. Please go on with the next pair."
      : "Play both sounds, then answer.";
    for (const box of document.querySelectorAll("fieldset[data-criterion]")) box.disabled = !heard;
    const open = asked(study.trials[number]).find((criterion) => !answer.votes[criterion.key]);
    for (const box of document.querySelectorAll("fieldset[data-criterion]")) {
      box.classList.toggle("current", heard && box.dataset.criterion === (open && open.key));
    }
    find("next").disabled = !isDone(number);
    find("next").textContent = state.place === order.length - 1 ? "Finish" : "Next";
    find("previous").disabled = state.place === 0;
    progress();
  };

  const load = (side, trial) => {
    const block = find(`data-${trial.sounds[sideOf(side)]}`);
    sounds[side].src = `data:${study.kind};base64,${block.textContent}`;
  };

  const showTrial = () => {
    show("trial");
    const number = current();
    const trial = study.trials[number];
    find("number").textContent = `Pair ${state.place + 1} of ${order.length}`;
    find("prompt").textContent = trial.prompt;
    find("prompt-box").hidden = !trial.prompt;
    find("questions").replaceChildren(...asked(trial).map((criterion) => question(criterion, answerOf(number).votes[criterion.key])));
    for (const side of ["left", "right"]) load(side, trial);
    shownAt = performance.now();
    mark();
    find("number").focus({ preventScroll: true });
  };

  const showEnd = () => {
    show("end");
    const missing = order.filter((number) => !isDone(number));
    find("missing").hidden = missing.length === 0;
    find("missing-count").textContent = `${missing.length} of ${order.length} pairs are not answered yet.`;
    progress();
    find("end-title").focus({ preventScroll: true });
  };

  const change = (edit) => {
    const number = current();
    const answer = answerOf(number);
    edit(answer);
    const now = performance.now();
    answer.seconds = Math.round((answer.seconds + (now - shownAt) / 1000) * 10) / 10;
    shownAt = now;
    state.answers[number] = answer;
    keep();
    mark();
  };
  const decide = (key, choice) => change((answer) => { answer.votes[key] = choice; });

  const go = (step) => {
    if (step > 0 && !isDone(current())) return;
    if (state.place + step >= order.length) {
      keep();
      showEnd();
      return;
    }
    state.place = Math.max(0, state.place + step);
    keep();
    showTrial();
  };

  // -- The file of answers.
  const answers = () => ({
    aj_study: study.aj_study,
    study: study.study,
    title: study.title,
    listener: state.listener.trim(),
    session: state.session,
    started: state.started,
    saved: new Date().toISOString(),
    trials: order.length,
    complete: order.every(isAnswered),
    answers: order.filter((number) => Object.keys(answerOf(number).votes).length > 0).map((number) => {
      const trial = study.trials[number];
      const sealed = (side) => trial.sealed[sideOf(side)];
      return { trial: number, item: trial.item, left: sealed("left"), right: sealed("right"), ...answerOf(number) };
    }),
  });
  const save = () => {
    const blob = new Blob([`${JSON.stringify(answers(), null, 1)}\n`], { type: "application/json" });
    const name = plain(state.listener).replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 40) || "listener";
    const link = element("a", undefined, { download: `answers-${name}-${study.study.slice(0, 6)}.json` });
    link.href = URL.createObjectURL(blob);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    for (const box of document.querySelectorAll(".saved")) box.textContent = `Saved as ${link.download}.`;
  };
  const restore = (text) => {
    const file = JSON.parse(text);
    if (file.study !== study.study || !Array.isArray(file.answers)) throw new Error("other study");
    const earlier = { ...fresh(String(file.listener)), session: String(file.session), started: String(file.started) };
    for (const { trial, votes, plays, seconds } of file.answers) {
      if (study.trials[trial]) earlier.answers[trial] = { votes, plays, seconds };
    }
    return earlier;
  };

  const begin = (earlier) => {
    state = earlier;
    const next = random(hash(`${study.study}:${study.seed}:${plain(state.listener)}`));
    flipped = next() < 0.5;
    order = shuffled(study.trials.length, next);
    const open = order.findIndex((number) => !isDone(number));
    state.place = open < 0 ? order.length - 1 : open;
    keep();
    if (open < 0) showEnd();
    else showTrial();
  };

  // -- Events.
  find("start-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = find("listener").value.trim();
    if (name) begin(kept().listeners[plain(name)] || fresh(name));
  });
  find("earlier").addEventListener("change", async (event) => {
    const told = find("earlier-told");
    try {
      begin(restore(await event.target.files[0].text()));
    } catch {
      told.textContent = "This file holds no answers of this study.";
    }
  });
  const resumable = () => {
    const earlier = kept().listeners[plain(find("listener").value)];
    const done = earlier ? Object.keys(earlier.answers).length : 0;
    find("begin").textContent = done ? "Continue" : "Begin";
    find("resume-told").textContent = done ? `${done} of ${study.trials.length} pairs were begun in this browser.` : "";
  };
  find("listener").addEventListener("input", resumable);
  find("next").addEventListener("click", () => go(1));
  find("previous").addEventListener("click", () => go(-1));
  find("back").addEventListener("click", () => {
    const open = order.findIndex((number) => !isDone(number));
    state.place = open < 0 ? 0 : open;
    showTrial();
  });
  for (const button of document.querySelectorAll("button.save")) button.addEventListener("click", save);
  for (const side of ["left", "right"]) {
    const heard = () => change((answer) => { answer.plays[side] += 1; });
    sounds[side].addEventListener("play", () => {
      if (sounds[side].currentTime < 0.1 || answerOf(current()).plays[side] === 0) heard();
    });
    sounds[side].addEventListener("error", () => {
      if (!state || !sounds[side].getAttribute("src")) return;
      change((answer) => { answer.broken = true; });
    });
  }
  const toggle = (side) => {
    const sound = sounds[side];
    if (!sound.paused) sound.pause();
    else {
      sound.currentTime = 0;
      sound.play().catch(() => {}); // stopped before it began
    }
  };
  const vote = (index) => {
    const inFocus = document.activeElement && document.activeElement.closest("fieldset[data-criterion]");
    const box = document.querySelector("fieldset.current") || inFocus;
    const input = box && !box.disabled && box.querySelectorAll("input")[index];
    if (input) input.click();
  };
  document.addEventListener("keydown", (event) => {
    if (find("trial").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.toLowerCase();
    const keys = { a: () => toggle("left"), b: () => toggle("right"), n: () => go(1), p: () => go(-1) };
    if (keys[key]) keys[key]();
    else if (key === "enter" && event.target.tagName !== "BUTTON" && event.target.tagName !== "SUMMARY") go(1);
    else if (/^[1-9]$/.test(key)) vote(Number(key) - 1);
    else return;
    event.preventDefault();
  });
  window.addEventListener("beforeunload", (event) => { if (!keeps && state) event.preventDefault(); });

  const last = kept().last;
  if (last) find("listener").value = last;
  resumable();
  show("start");
})();
