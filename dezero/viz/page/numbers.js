// Numbers: arrays out of the page's data, and how they are shown.

const $ = (id) => document.getElementById(id);

// An element with properties or attributes and children; text is always text, never markup.
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  set(node, attributes);
  node.append(...present(children));
  return node;
}

const present = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

function drawn(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  set(node, attributes);
  node.append(...children);
  return node;
}

function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
}

// The array at a place of the table, with its exact values: those of a float32 array are stored in the digits that it needs.
function arrayAt(place) {
  if (place === null || place === undefined) return null;
  const array = data.arrays[place];
  if (array.x && !array.values) {
    const round = array.d === "float32" ? Math.fround : (v) => v;
    array.values = array.x.map((v) => typeof v === "string" && /^(NaN|-?Infinity)$/.test(v) ? Number(v) : typeof v === "number" ? round(v) : v);
  }
  return array;
}

const isFloat = (array) => array.d.startsWith("float");

// A number in all its digits, as stored.
function exactly(v, float) {
  if (typeof v === "boolean") return v ? "True" : "False";
  const text = (v && Math.abs(v) < 1e-4 ? v.toExponential() : String(v)).replace("Infinity", "inf").replace("e+", "e");
  return (Object.is(v, -0) ? "-0" : text) + (float && /^-?\d+$/.test(text) ? ".0" : "");
}

// A number in at most `digits` digits, for where there is little room.
function shortly(v, float = false, digits = 4) {
  if (typeof v !== "number" || !Number.isFinite(v) || v === 0) return exactly(v, float);
  if (Number.isInteger(v) && Math.abs(v) < 10 ** digits) return exactly(v, float);
  const text = Math.abs(v) >= 1e5 || Math.abs(v) < 1e-3 ? v.toExponential(Math.max(0, digits - 2)) : v.toPrecision(digits);
  return text.replace(/(\.\d*?)0+(?=e|$)/, "$1").replace(/\.(?=e|$)/, "").replace("e+", "e");
}

// An array in a few characters, for sentences: a number, a short vector in full, else its shape.
function briefly(place) {
  const array = arrayAt(place);
  if (!array) return "?";
  if (array.values && array.s.length === 0) return shortly(array.values[0], isFloat(array));
  if (array.values && array.values.length <= 3) return `[${array.values.map((v) => shortly(v, false, 3)).join(", ")}]`;
  return `(${array.s.join(", ")}${array.s.length === 1 ? "," : ""})`;
}

// And for edges: a number, else from where to where the numbers reach.
function range(place) {
  const array = arrayAt(place);
  if (!array) return "";
  if (array.values && array.s.length === 0) return briefly(place);
  const { nan, inf, min, max } = statistics(array), ends = [...new Set([min, max].filter((v) => v !== undefined).map((v) => shortly(Number(v), false, 2)))];
  return nan ? "NaN" : inf ? "inf" : ends.join("…");
}

// Mean, standard deviation, least and largest of the finite numbers, the others counted, and a histogram.
function statistics(array) {
  if (!array.values) return array;
  if (array.facts) return array.facts;
  const all = array.values.map(Number), finite = all.filter(Number.isFinite), n = finite.length;
  const facts = { n: all.length, nan: all.filter(Number.isNaN).length, zeros: all.filter((v) => v === 0).length };
  facts.inf = all.length - n - facts.nan;
  if (n) {
    facts.mean = finite.reduce((a, b) => a + b / n, 0);
    facts.std = Math.sqrt(finite.reduce((a, b) => a + (b - facts.mean) ** 2 / n, 0));
    facts.min = Math.min(...finite);
    facts.max = Math.max(...finite);
    const bins = facts.max > facts.min ? Math.min(20, Math.max(4, n)) : 1, width = facts.max / bins - facts.min / bins;
    facts.h = new Array(bins).fill(0);
    for (const v of finite) facts.h[bins === 1 ? 0 : Math.min(bins - 1, Math.floor((v - facts.min) / width))] += 1;
  }
  return (array.facts = facts);
}

// A value as an element: a number in full, a small array as a table, a large one as statistics. Each number is in data-value too, exactly.
function valueView(place) {
  const array = arrayAt(place);
  if (!array) return el("span", { class: "unknown" }, t("unknown"));
  if (!array.values) return el("div", { class: "value large" }, shapeLine(array), histogramView(array), statisticsView(array), cornersView(array));
  if (array.s.length === 0) return el("span", { class: "value number", "data-value": String(array.values[0]) }, exactly(array.x[0], isFloat(array)));
  if (array.values.length === 0) return el("div", { class: "value" }, shapeLine(array));
  return el("div", { class: "value" }, array.values.length > 1 ? shapeLine(array) : null, tables(array));
}

function shapeLine(array) {
  return el("small", { class: "shape" }, `(${array.s.join(", ")}${array.s.length === 1 ? "," : ""}) ${array.d}`);
}

// Rows of the last axis; a vector is broken into rows that fit the panel, a stack of matrices gets a gap between them.
function tables(array) {
  const columns = array.s.at(-1) || 1, rows = array.s.length > 1 ? array.s.at(-2) : 1;
  const most = Math.max(...array.values.map(Number).filter(Number.isFinite).map(Math.abs), 0);
  const box = el("div", { class: columns > 4 && array.s.length > 1 ? "tables dense" : "tables" });
  for (let start = 0; start < array.values.length; start += columns * rows) {
    const table = el("div", { class: array.s.length > 1 ? "matrix" : "vector" });
    if (array.s.length > 1) table.style.gridTemplateColumns = `repeat(${columns}, minmax(2.6em, 1fr))`;
    for (let i = start; i < Math.min(start + columns * rows, array.values.length); i += 1) table.append(cell(array, i, most));
    box.append(table);
  }
  return box;
}

function cell(array, i, most) {
  const columns = array.s.length > 1 ? array.s.at(-1) : 0, digits = columns > 6 ? 2 : columns > 4 ? 3 : 4;
  const v = array.values[i], odd = typeof v === "number" && !Number.isFinite(v);
  const node = el("span", { class: odd ? "cell odd" : "cell", "data-value": String(v), title: exactly(array.x[i], isFloat(array)) }, shortly(v, false, digits));
  // Orange for positive, blue for negative, stronger for larger: the sign in the text says the same.
  if (most && !odd && Number(v) !== 0) {
    node.style.background = `rgb(${v > 0 ? "230 159 0" : "86 180 233"} / ${(0.08 + 0.42 * Math.abs(Number(v)) / most).toFixed(2)})`;
  }
  return node;
}

function statisticsView(array) {
  const facts = statistics(array);
  const shown = [["mean", facts.mean], ["std", facts.std], ["min", facts.min], ["max", facts.max], ["zeros", facts.zeros]]
    .filter(([, v]) => v !== undefined).map(([key, v]) => [t(key), shortly(typeof v === "string" ? Number(v) : v)]);
  if (facts.nan) shown.push(["NaN", String(facts.nan)]);
  if (facts.inf) shown.push(["inf", String(facts.inf)]);
  return el("dl", { class: "facts" }, shown.map(([key, v]) => el("div", {}, el("dt", {}, key), el("dd", {}, v))));
}

function histogramView(array) {
  const facts = statistics(array);
  if (!facts.h || facts.h.length < 2) return null;
  const most = Math.max(...facts.h), width = 200 / facts.h.length;
  const label = `${shortly(facts.min)} … ${shortly(facts.max)}: ${facts.h.join(" ")}`;
  const bars = facts.h.map((count, i) => {
    const high = count ? Math.max(1.5, 40 * count / most) : 0;
    return drawn("rect", { x: i * width + 0.5, y: 42 - high, width: width - 1, height: high });
  });
  const picture = drawn("svg", { class: "histogram", viewBox: "0 0 200 56", role: "img", "aria-label": label }, ...bars, drawn("path", { d: "M0 42.5H200" }));
  picture.append(drawn("text", { x: 0, y: 54 }, shortly(facts.min)), drawn("text", { x: 200, y: 54, class: "end" }, shortly(facts.max)));
  return picture;
}

function cornersView(array) {
  if (!array.c || !array.c.length || array.s.length === 0) return null;
  const columns = array.c[0].length, cut = (n) => n > 4;
  const table = el("div", { class: "matrix" });
  table.style.gridTemplateColumns = `repeat(${columns + (cut(array.s.at(-1)) ? 1 : 0)}, minmax(2em, auto))`;
  array.c.forEach((row, r) => {
    if (r === 2 && cut(array.s.at(-2))) for (let i = 0; i < columns + (cut(array.s.at(-1)) ? 1 : 0); i += 1) table.append(el("span", { class: "cell gap" }, "⋮"));
    row.forEach((v, c) => {
      if (c === 2 && cut(array.s.at(-1))) table.append(el("span", { class: "cell gap" }, "…"));
      table.append(el("span", { class: "cell" }, shortly(typeof v === "string" ? Number(v) : v)));
    });
  });
  return el("details", {}, el("summary", {}, t("corners")), table);
}
