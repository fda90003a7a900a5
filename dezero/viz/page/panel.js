// Panel: what is said beside the picture: the step, sums of gradients, explanations, places to look at, layers; and the card of a node.

const LONGEST = 60;  // rows of a list, and parts of a sum, that are shown at once
const panel = { tab: "step", target: null };

function tabs() {
  const looks = lookList().length, layers = drawing().boxes.length + groupIds().length + data.drawings.length > 1;
  return [["step", true, ""], ["explain", data.explanations.length, ""], ["look", looks, ` ${looks}`], ["layers", layers, ""], ["notes", true, ""]]
    .filter(([, there]) => there).map(([key, , more]) => [key, t("tabs")[key] + more]);
}

function showTabs() {
  $("tabs").replaceChildren(...tabs().map(([key, label]) => el("button", {
    role: "tab", id: `tab-${key}`, "aria-selected": String(key === panel.tab), "aria-controls": "sheet", tabindex: key === panel.tab ? 0 : -1,
    onclick: () => openTab(key),
  }, label)));
  $("sheet").setAttribute("aria-labelledby", `tab-${panel.tab}`);
}

function openTab(key) {
  panel.tab = key;
  showTabs();
  showSheet();
}

function showSheet() {
  const sheets = { step: stepSheet, explain: explainSheet, look: lookSheet, layers: layersSheet, notes: notesSheet };
  $("sheet").replaceChildren(...present(sheets[panel.tab]()));
  $("sheet").dataset.tab = panel.tab;
}

// -- one step ------------------------------------------------------------------------------------

function stepSheet() {
  const step = stepNow();
  if (!step) return startSheet();
  const node = data.nodes[step.id], back = step.phase === "backward";
  const heading = [el("p", { class: back ? "phase back" : "phase" }, `${t(step.phase)} ${t("of", step.nth, step.total)}`), el("h2", {}, nodeName(step.id)), about(node)];
  return [el("div", { class: "step", "data-step": step.id, "data-phase": step.phase }, heading, back ? backwardOf(step.id) : forwardOf(step.id))];
}

function startSheet() {
  const [forward, backward] = [drawing().forward.length, drawing().backward.length];
  const sources = Object.entries(data.nodes).filter(([id, node]) => stage.now.nodes.has(id) && ["leaf", "parameter"].includes(node.kind)).map(([id]) => id);
  return [el("p", { class: "phase still" }, t("start")), el("h2", {}, data.title), el("p", {}, forward ? t("begin", forward, backward) : t("nothing")),
    sources.length ? section(t("goesIn"), list(sources, (id) => row(id, data.nodes[id].value))) : null];
}

function about(node) {
  const said = [node.derivative ? t("order", node.derivative) : "", node.layer ?? "", (node.settings ?? []).map(([k, v]) => `${k}=${v}`).join(", "),
    node.kind === "group" ? t("holds", node.functions, node.parameters, node.numbers, node.times) : ""].filter(Boolean);
  return said.length ? el("p", { class: "about" }, said.join(" · ")) : null;
}

function section(title, ...content) {
  return el("section", {}, el("h3", {}, title), content);
}

function list(some, view) {
  return [...some.slice(0, LONGEST).map(view), some.length > LONGEST ? el("p", { class: "about" }, `… ${some.length - LONGEST}`) : null];
}

function row(id, place, formula = "") {
  return el("div", { class: "row", "data-of": id }, formula ? el("code", { class: "formula" }, formula) : null,
    el("div", { class: "label" }, nameButton(id), symbolOf(id)), drawing().links[id] ? null : valueView(place));
}

function nameButton(id) {
  return el("button", { class: `name ${data.nodes[id]?.kind ?? ""}`, onclick: () => visit(id) }, nodeName(id));
}

function nodeName(id) {
  return data.nodes[id]?.name ?? id;
}

// What formulas call a variable whose own name is no word of a formula.
function symbolOf(id) {
  return data.nodes[id]?.symbol ? el("code", {}, data.nodes[id].symbol) : null;
}

function forwardOf(id) {
  const node = data.nodes[id];
  return [node.formula ? el("code", { class: "formula main" }, node.formula) : null,
    section(t("in"), list(ins(id), (v) => row(v, data.nodes[v]?.value))),
    section(t("out"), list(outs(id), (v) => row(v, data.nodes[v]?.value)))];
}

function backwardOf(id) {
  const node = data.nodes[id], sent = partsOf(id);
  const formula = (place) => (node.gradients ?? {})[place] ?? "";
  const added = [...new Set(sent.map(({ to }) => to))].filter((v) => drawing().parts[v].length > 1);
  return [node.formula ? el("code", { class: "formula" }, node.formula) : null, section(t("comesBack"), list(outs(id), (v) => row(v, data.nodes[v]?.grad))),
    section(t("sends"), sent.length ? list(sent, ({ to, place, part }) => row(to, part, drawing().parts[to].length > 1 ? formula(place).replace(" = ", " += ") : formula(place))) : el("p", {}, t("noGradient"))),
    added.length ? section(t("sums"), list(added, sumView)) : null];
}

// A gradient that comes in parts: those that have come and their sum, and where the others will come from.
function sumView(id) {
  const parts = drawing().parts[id], here = arrived(id), first = Math.max(0, Math.min(here - LONGEST / 2, parts.length - LONGEST));
  const scalar = (arrayAt(parts[0][2])?.s.length ?? 0) === 0;
  const shown = parts.slice(first, first + LONGEST).map(([step, place, part], k) => {
    const come = first + k < here, last = first + k === here - 1;
    const who = step ? `${t("from")} ${nodeName(step)}${place < 0 && data.nodes[step].kind === "function" ? " …" : ""}`.trim() : t("seed");
    return el("span", { class: `part${come ? "" : " pending"}${last ? " newest" : ""}`, "data-from": step },
      step ? el("button", { onclick: () => goTo(step, "backward") }, who) : el("small", {}, who), come ? valueView(part) : el("em", {}, t("coming")));
  });
  const total = here ? el("span", { class: "total" }, here < parts.length ? el("small", {}, t("soFar")) : null, valueView(parts[here - 1][3])) : null;
  return el("div", { class: scalar ? "sum scalar" : "sum", "data-sum": id }, el("div", { class: "label" }, nameButton(id)),
    first ? el("small", {}, `… ${first}`) : null, shown, total);
}

// -- other sheets --------------------------------------------------------------------------------

function explainSheet() {
  const target = panel.target ?? data.explanations[0].id;
  const select = el("select", { id: "target", onchange: (event) => { panel.target = event.target.value; showSheet(); } },
    data.explanations.map(({ id }) => el("option", { value: id, selected: id === target }, nodeName(id))));
  return [el("p", {}, el("label", {}, `${t("explainWhat")} `, select)),
    el("pre", { tabindex: 0 }, t("headings").reduce((text, [from, to]) => text.replace(from, to), data.explanations.find(({ id }) => id === target).text)),
    data.unexplained ? el("p", { class: "about" }, t("unexplained", data.unexplained)) : null];
}

// What is marked, in the order in which it comes up: the first is where the trouble begins.
function lookList() {
  const time = (id, what) => what === "value" ? stepOf(id) : route().places.get(`backward ${drawing().parts[id]?.at(-1)[0]}`) ?? 0;
  const found = Object.keys(data.nodes).filter((id) => stage.now.nodes.has(id)).flatMap((id) => ["value", "grad"].map((what) => ({ id, what, at: time(id, what),
    marks: (data.nodes[id].marks ?? []).filter(([where]) => where === what).map(([, mark]) => mark) })));
  return found.filter(({ marks }) => marks.length).sort((a, b) => a.at - b.at);
}

function lookSheet() {
  const where = (at) => at ? el("button", { class: "when", onclick: () => { go(at); openTab("step"); } }, `${t("tabs").step} ${at}`) : null;
  return [el("p", {}, t("looks")), el("ul", { class: "looks" }, list(lookList(), ({ id, what, at, marks }) => el("li", {}, nameButton(id),
    el("span", {}, `${what === "grad" ? t("gradient") : t("value")} `, el("strong", {}, marks.map((mark) => t("marks")[mark]).join(", "))), where(at))))];
}

const groupIds = () => Object.keys(data.nodes).filter((id) => data.nodes[id].kind === "group" && stage.now.nodes.has(id));

function layersSheet() {
  const choice = data.drawings.length > 1 ? el("div", { class: "choice", role: "group", "aria-label": t("view") }, ["folded", "open"].map((key, k) =>
    el("button", { id: key, "aria-pressed": String(k === state.drawing), onclick: () => useDrawing(k) }, t(key)))) : null;
  const groups = groupIds().map((id) => el("li", {}, nameButton(id), el("small", {}, [data.nodes[id].layer, t("holds", data.nodes[id].functions,
    data.nodes[id].parameters, data.nodes[id].numbers, data.nodes[id].times)].filter(Boolean).join(": "))));
  const boxes = drawing().boxes.map(([path, ids, depth, times]) => {
    const item = el("li", {}, el("button", { class: "name box", onclick: () => visit(ids[0]) }, path || "…"), times > 1 ? el("small", {}, ` ×${times}`) : null);
    item.style.paddingLeft = `${depth}em`;
    return item;
  });
  return [choice, groups.length ? section(t("groups"), el("ul", {}, groups)) : null, boxes.length ? section(t("boxes"), el("ul", {}, boxes)) : null];
}

function notesSheet() {
  const count = (kinds) => Object.values(data.nodes).filter((node) => kinds.includes(node.kind)).length;
  return [el("p", {}, t("counts", count(["function"]), count(["leaf", "parameter", "result", "constant"]))), el("p", {}, t("colours")),
    el("p", {}, t("limited", data.limit)), data.notes.map((note) => el("p", { class: "note" }, note))];
}

// -- the card of a node --------------------------------------------------------------------------

function cardOf(id, pinned) {
  const node = data.nodes[id], variable = !["function", "group"].includes(node.kind);
  const kind = [t("kinds")[node.kind], node.derivative ? t("order", node.derivative) : ""].filter(Boolean).join(", ");
  const facts = [kind, variable && node.shape ? `(${node.shape.join(", ")}${node.shape.length === 1 ? "," : ""}) ${node.dtype ?? ""}` : "", node.layer ?? ""].filter(Boolean);
  const content = [el("h2", {}, nodeName(id)), symbolOf(id), el("p", { class: "about" }, facts.join(" · "))];
  for (const [what, mark] of node.marks ?? []) content.push(el("p", { class: "mark" }, `${what === "grad" ? t("gradient") : t("value")} ${t("marks")[mark]}`));
  content.push(...(variable ? variableCard(id, node, pinned) : functionCard(node)));
  const buttons = [stepOf(id) ? el("button", { onclick: () => { hideCard(); goTo(id); } }, t("goTo")) : null,
    data.explanations.some((said) => said.id === id) ? el("button", { onclick: () => { panel.target = id; openTab("explain"); } }, t("explainIt")) : null,
    el("button", { class: "close", onclick: hideCard }, t("close"))];
  return [...content, el("div", { class: "buttons" }, buttons)];
}

function variableCard(id, node, pinned) {
  const shown = [[t("value"), "value", node.value], [t("gradient"), "grad", node.grad]].map(([title, key, place]) => {
    const array = arrayAt(place), more = array && array.values && array.values.length > 1 ? [statisticsView(array), array.values.length > 7 ? histogramView(array) : null] : [];
    if (key === "grad" && !array && node.kind === "constant") return null;
    const full = pinned || !more.length || array.values.length <= 6;
    return el("section", { class: key, "data-card": key }, el("h3", {}, title), full ? valueView(place) : null, more);
  });
  const parts = drawing().parts[id] ?? [];
  const adds = parts.length > 1 ? el("p", { class: "about" }, parts.map(([step]) => step ? nodeName(step) : t("seed")).slice(0, 8).join(" + ") + (parts.length > 8 ? " + …" : "")) : null;
  return [...shown, adds];
}

function functionCard(node) {
  const settings = (node.settings ?? []).map(([k, v]) => `${k} = ${v}`).join(", ");
  return [node.formula ? el("code", { class: "formula" }, node.formula) : null,
    ...Object.values(node.gradients ?? {}).map((text) => el("code", { class: "formula back" }, text)),
    settings ? el("p", { class: "about" }, `${t("settings")}: ${settings}`) : null,
    node.kind === "group" ? el("p", {}, t("holds", node.functions, node.parameters, node.numbers, node.times)) : null];
}

function showCard(id, pinned = false) {
  if (!data.nodes[id] || (state.pinned && !pinned)) return;
  const card = $("card");
  state.pinned = pinned ? id : null;
  card.replaceChildren(...present(cardOf(id, pinned)));
  card.classList.toggle("pinned", pinned);
  card.dataset.of = id;
  card.hidden = false;
  const node = stage.now.nodes.get(id).getBoundingClientRect(), ground = $("stage").getBoundingClientRect();
  const right = node.right - ground.left + 12, left = node.left - ground.left - card.offsetWidth - 12;
  const x = right + card.offsetWidth < ground.width ? right : left > 0 ? left : (ground.width - card.offsetWidth) / 2;
  const under = x === right || x === left ? node.top - ground.top - 20 : node.bottom - ground.top + 10;
  card.style.left = `${Math.max(4, x)}px`;
  card.style.top = `${Math.max(4, Math.min(under, ground.height - card.offsetHeight - 4))}px`;
}

function hideCard() {
  state.pinned = null;
  $("card").hidden = true;
}
