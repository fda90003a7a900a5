// Page: which step it is, and what keys, buttons and the mouse do.

const data = JSON.parse($("data").textContent);
const state = { drawing: 0, at: 0, playing: 0, pinned: null, hits: [], hit: 0, theme: "auto" };
const known = new Map();  // for each drawing: its steps, where each is, and when parts of gradients arrive

const drawing = () => data.drawings[state.drawing];

function route() {
  if (!known.has(state.drawing)) {
    const { forward, backward, parts } = drawing();
    const all = [["forward", forward], ["backward", backward]].flatMap(([phase, ids]) => ids.map((id, k) => ({ phase, id, nth: k + 1, total: ids.length })));
    const places = new Map(all.map(({ phase, id }, k) => [`${phase} ${id}`, k + 1]));
    const sent = new Map();
    for (const [to, some] of Object.entries(parts)) {
      for (const [step, place, part, sum] of some) sent.set(step, [...(sent.get(step) ?? []), { to, place, part, sum }]);
    }
    for (const some of sent.values()) some.sort((a, b) => a.place - b.place);
    const makers = new Map(forward.flatMap((id, k) => outs(id).map((v) => [v, k + 1])));
    known.set(state.drawing, { all, places, sent, makers });
  }
  return known.get(state.drawing);
}

const ins = (id) => drawing().links[id][0], outs = (id) => drawing().links[id][1];
const steps = () => route().all;
const stepNow = () => steps()[state.at - 1] ?? null;
const partsOf = (id) => route().sent.get(id) ?? [];

// The step of a function, or the one that gives a variable.
function stepOf(id, phase = "forward") {
  return route().places.get(`${phase} ${id}`) ?? route().makers.get(id) ?? 0;
}

// How many parts of a variable's gradient have arrived by now.
function arrived(id) {
  const begun = state.at > drawing().forward.length;
  return (drawing().parts[id] ?? []).filter(([step]) => step ? route().places.get(`backward ${step}`) <= state.at : begun).length;
}

// -- steps ---------------------------------------------------------------------------------------

function go(at) {
  const last = steps().length, to = Math.max(0, Math.min(last, at));
  if (to === last) rest();
  state.at = to;
  showStep();
  const step = stepNow();
  if (step) show([step.id, ...ins(step.id), ...outs(step.id)]);
}

function goTo(id, phase) {
  go(stepOf(id, phase ?? (stepNow()?.phase === "backward" && route().places.has(`backward ${id}`) ? "backward" : "forward")));
  if (panel.tab !== "step") openTab("step");
}

function showStep() {
  const step = stepNow(), back = step?.phase === "backward";
  $("slider").value = state.at;
  $("slider").setAttribute("aria-valuetext", step ? `${t(step.phase)} ${t("of", step.nth, step.total)}: ${nodeName(step.id)}` : t("start"));
  $("count").textContent = `${state.at} / ${steps().length}`;
  $("player").dataset.phase = step ? step.phase : "";
  for (const id of ["first", "previous"]) $(id).disabled = state.at === 0;
  for (const id of ["next", "last"]) $(id).disabled = state.at === steps().length;
  const said = sentence();
  if ($("said").textContent !== said) $("said").textContent = said;
  light(classesNow(), step ? flowsNow(step, back) : []);
  if (!state.pinned) hideCard();
  if (panel.tab === "step") showSheet();
}

function sentence() {
  const step = stepNow();
  if (!step) return steps().length ? t("begin", drawing().forward.length, drawing().backward.length) : t("nothing");
  const node = data.nodes[step.id], start = `${t(step.phase)} ${t("of", step.nth, step.total)} · `;
  const few = (some) => t("and", some.length > 4 ? [...some.slice(0, 4), "…"] : some);
  const pair = (v, place) => nodeName(v) === briefly(place) ? nodeName(v) : `${nodeName(v)} = ${briefly(place)}`;
  if (step.phase === "forward") {
    return start + t("takes", node.name, few(ins(step.id).map((v) => pair(v, data.nodes[v]?.value))), few(outs(step.id).map((v) => pair(v, data.nodes[v]?.value))));
  }
  return start + t("hands", node.name, few(outs(step.id).map((v) => briefly(data.nodes[v]?.grad))), few(partsOf(step.id).map(({ to, part }) => t("to", briefly(part), nodeName(to)))));
}

// What each node looks like now.
function classesNow() {
  const classes = new Map(), step = stepNow(), { forward, backward } = drawing();
  const been = new Set(forward.slice(0, state.at)), returned = new Set(backward.slice(0, Math.max(0, state.at - forward.length)));
  for (const id of stage.now.nodes.keys()) {
    const maker = route().makers.get(id), variable = !drawing().links[id];
    const reached = variable ? (maker ?? 0) <= state.at : been.has(id), gone = variable ? arrived(id) > 0 : returned.has(id);
    classes.set(id, [reached ? "" : "later", gone ? "went" : "", state.hits.includes(id) ? "hit" : ""].filter(Boolean).join(" "));
  }
  if (step) {
    const add = (id, name) => classes.set(id, `${classes.get(id) ?? ""} ${name}`.trim());
    add(step.id, step.phase === "forward" ? "now" : "now back");
    for (const id of new Set([...ins(step.id), ...outs(step.id)])) add(id, step.phase === "forward" ? "near" : "near back");
  }
  return classes;
}

function flowsNow(step, back) {
  const seen = new Map();
  const nth = (v) => { seen.set(v, (seen.get(v) ?? -1) + 1); return seen.get(v); };
  const value = (v) => back ? data.nodes[v]?.grad : data.nodes[v]?.value;
  const text = (place) => `${back && range(place) ? "↑ " : ""}${range(place)}`;
  const sent = new Map(partsOf(step.id).map(({ to, place, part }) => [`${to} ${place}`, part]));
  const below = ins(step.id).map((v, place) => ({ from: v, to: step.id, nth: nth(v), back, part: sent.get(`${v} ${place}`) ?? sent.get(`${v} -1`),
    there: !back || sent.has(`${v} ${place}`) || sent.has(`${v} -1`) }));
  return [...below.filter(({ there }) => there).map((flow) => ({ ...flow, text: text(back ? flow.part : value(flow.from)), alone: seen.get(flow.from) === 0 })),
    ...outs(step.id).map((v) => ({ from: step.id, to: v, nth: 0, back, text: text(value(v)) }))];
}

function play() {
  if (state.playing) return rest();
  if (state.at === steps().length) go(0);
  const tick = () => {
    go(state.at + 1);
    if (state.at < steps().length) state.playing = setTimeout(tick, 1400 / Number($("speed").value));
  };
  state.playing = setTimeout(tick, 250);
  showPlaying();
}

function rest() {
  clearTimeout(state.playing);
  state.playing = 0;
  showPlaying();
}

function showPlaying() {
  document.body.classList.toggle("playing", Boolean(state.playing));
  $("play").setAttribute("aria-label", t(state.playing ? "pause" : "play"));
  $("play").title = t(state.playing ? "pause" : "play");
}

// Another drawing of the same graph, at the same place.
function useDrawing(k) {
  const step = stepNow();
  state.drawing = k;
  hideCard();
  usePicture(k);
  setUpSlider();
  place(opening());
  const there = step && route().places.get(`${step.phase} ${step.id}`);
  go(there ?? Math.round(steps().length * (step ? 0.5 : 0)));
  openTab("layers");
}

// A node that a name in the panel or a search has asked for.
function visit(id) {
  if (!stage.now.nodes.has(id)) return;
  centre(id);
  showCard(id, true);
}

// -- search --------------------------------------------------------------------------------------

function search() {
  const wanted = $("query").value.trim().toLowerCase();
  const matches = (id, node) => [id, node.name, node.op, node.layer].some((text) => text && text.toLowerCase().includes(wanted));
  state.hits = wanted ? Object.entries(data.nodes).filter(([id, node]) => stage.now.nodes.has(id) && matches(id, node)).map(([id]) => id) : [];
  state.hit = -1;
  $("hits").textContent = wanted ? t("found", 0, state.hits.length) : "";
  showStep();
}

function nextHit(by) {
  if (!state.hits.length) return;
  state.hit = (state.hit + by + state.hits.length + (state.hit < 0 && by < 0 ? 1 : 0)) % state.hits.length;
  $("hits").textContent = t("found", state.hit + 1, state.hits.length);
  visit(state.hits[state.hit]);
}

// -- light and dark, language, help --------------------------------------------------------------

// All rules for the dark stand behind one condition, those of the pictures too: it is set to hold, or not to.
function useTheme(theme) {
  state.theme = theme;
  document.documentElement.dataset.theme = theme;
  const condition = { auto: "(prefers-color-scheme: dark)", dark: "all", light: "not all" }[theme];
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) {
      if (rule instanceof CSSMediaRule && (rule.night || rule.conditionText.includes("prefers-color-scheme"))) {
        rule.night = true;
        rule.media.mediaText = condition;
      }
    }
  }
}

function toggleTheme() {
  const dark = state.theme === "dark" || (state.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  useTheme(dark ? "light" : "dark");
}

function useLanguage(name) {
  language = name;
  translate();
  showPlaying();
  showTabs();
  showSheet();
  showStep();
  if (state.pinned) showCard(state.pinned, true);
}

function help() {
  const dialog = $("keys");
  if (dialog.open) return dialog.close();
  dialog.replaceChildren(el("h2", {}, t("help_title")), el("dl", {}, t("keys").map(([key, what]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)])),
    el("p", {}, t("mouse")), el("p", {}, t("colours")), el("button", { onclick: () => dialog.close() }, t("close_help")));
  dialog.showModal();
}

// -- keys and buttons ----------------------------------------------------------------------------

const KEYS = {
  ArrowRight: () => { rest(); go(state.at + 1); }, ArrowLeft: () => { rest(); go(state.at - 1); }, Home: () => { rest(); go(0); }, End: () => { rest(); go(steps().length); },
  " ": play, "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: () => glide(whole()), "/": () => $("query").focus(), "?": help,
};

function pressedKey(event) {
  const at = event.target;
  if (event.key === "Escape") return leave(at);
  if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open) return;
  if (at.id === "query") return event.key === "Enter" ? nextHit(event.shiftKey ? -1 : 1) : undefined;
  if (at.closest("[data-node]") && event.key === "Enter") return showCard(at.closest("[data-node]").dataset.node, true);
  if (at.matches("select") || (event.key === " " && at.matches("button, summary"))) return;
  if (at.role === "tab" && event.key.startsWith("Arrow")) return moveTab(event);
  if (!KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
}

function leave(at) {
  if (at.id === "query") {
    at.value = "";
    search();
    at.blur();
  }
  hideCard();
}

function moveTab(event) {
  const keys = tabs().map(([key]) => key), by = event.key === "ArrowRight" ? 1 : -1;
  event.preventDefault();
  openTab(keys[(keys.indexOf(panel.tab) + by + keys.length) % keys.length]);
  $(`tab-${panel.tab}`).focus();
}

function setUpSlider() {
  const { forward, backward } = drawing(), all = Math.max(1, forward.length + backward.length);
  $("slider").max = forward.length + backward.length;
  $("phases").style.setProperty("--split", `${100 * forward.length / all}%`);
}

function setUpButtons() {
  const does = { first: KEYS.Home, previous: KEYS.ArrowLeft, play, next: KEYS.ArrowRight, last: KEYS.End, closer: KEYS["+"], farther: KEYS["-"], fit: KEYS[0],
    theme: toggleTheme, help, language: () => useLanguage(language === "en" ? "ko" : "en") };
  for (const [id, action] of Object.entries(does)) $(id).addEventListener("click", action);
  $("slider").addEventListener("input", () => { rest(); go(Number($("slider").value)); });
  $("query").addEventListener("input", search);
  document.addEventListener("keydown", pressedKey);
  const ground = $("stage"), node = (event) => event.target.closest?.("[data-node]")?.dataset.node;
  ground.addEventListener("pointerover", (event) => { if (event.pointerType === "mouse" && !fingers.size && node(event)) showCard(node(event)); });
  ground.addEventListener("pointerout", (event) => { if (node(event) && !state.pinned) hideCard(); });
  ground.addEventListener("focusin", (event) => { if (node(event) && event.target.matches(":focus-visible")) { show([node(event)]); showCard(node(event)); } });
  ground.addEventListener("click", (event) => {
    if (travelled >= 4 || event.target.closest("#card, #zoom")) return;
    if (node(event)) showCard(node(event), true); else hideCard();
  });
  ground.addEventListener("dblclick", (event) => { if (node(event) && stepOf(node(event))) { hideCard(); goTo(node(event)); } });
}

setUpPictures();
setUpSlider();
setUpButtons();
useTheme("auto");
const asked = data.language === "auto" ? (navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en") : data.language;
place(opening());
useLanguage(asked);
