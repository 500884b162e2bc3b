// The status page: asks for the status every two seconds and writes it into the page. What comes from logs, paths
// and rules is only ever set as text, never as markup.
"use strict";

const LEVELS = ["critical", "error", "warning", "notice", "info", "debug", "trace", "unknown"];
const INDEX = ["trace", "debug", "info", "notice", "warning", "error", "critical", "unknown"];
const EVERY = 2000;
const SPAN = 600;
const $ = (id) => document.getElementById(id);
const levelClass = (level) => (level === "notice" ? "notice-l" : level);

// ---- small tools for the page ----

function make(tag, name, text) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
}

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Keeps one child per item, by key, in the items' order; `update` fills it.
function keep(parent, items, key, create, update) {
  const old = parent.kept || new Map();
  const now = new Map();
  let at = parent.firstElementChild;
  for (const item of items) {
    const k = key(item);
    if (now.has(k)) continue;
    const node = old.get(k) || create(item);
    now.set(k, node);
    update(node, item);
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
  for (const [k, node] of old) if (!now.has(k)) node.remove();
  parent.kept = now;
}

function facts(list, pairs) {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== "");
  keep(list, shown, (p) => p[0], (p) => {
    const row = make("div");
    row.append(make("dt", "", p[0]), make("dd"));
    return row;
  }, (row, p) => {
    put(row.lastChild, p[1]);
    row.lastChild.className = p[2] ? "bad-text" : "";
  });
}

// ---- history: totals per level over time, from which rates come ----

const past = { times: [], levels: [] };

function remember(time, levels) {
  const last = past.times.length - 1;
  if (last >= 0 && time <= past.times[last]) return;
  past.times.push(time);
  past.levels.push(levels);
  while (past.times.length > 2 && past.times[0] < time - SPAN) {
    past.times.shift();
    past.levels.shift();
  }
}

// Rates per level, one shorter than the times; a total that fell (a new store) counts as a standstill.
function rates() {
  const out = { times: past.times.slice(1) };
  for (const level of LEVELS) {
    const i = INDEX.indexOf(level);
    out[level] = out.times.map((t, n) =>
      Math.max(0, past.levels[n + 1][i] - past.levels[n][i]) / (t - past.times[n]));
  }
  return out;
}

// ---- tiles ----

const SVG = "http://www.w3.org/2000/svg";

// How far back the charts go: all that is known, from one minute to ten.
function reach() {
  const { times } = past;
  return Math.min(SPAN, Math.max(60, times[times.length - 1] - times[0]));
}

function spark(svg, times, values) {
  const width = reach();
  const start = times[times.length - 1] - width;
  const slots = Math.round(Math.min(60, width / 4));
  const sums = new Array(slots).fill(0);
  const counts = new Array(slots).fill(0);
  times.forEach((t, i) => {
    const slot = Math.min(slots - 1, Math.floor(((t - start) / width) * slots));
    if (slot >= 0) { sums[slot] += values[i]; counts[slot] += 1; }
  });
  const top = Math.max(...sums.map((s, i) => (counts[i] ? s / counts[i] : 0)), 1e-9);
  const points = [];
  sums.forEach((s, i) => {
    if (counts[i]) points.push(`${((i / (slots - 1)) * 100).toFixed(2)} ${(29 - (s / counts[i] / top) * 27).toFixed(2)}`);
  });
  const line = points.length > 1 ? `M${points.join("L")}` : "";
  const first = points.length ? points[0].split(" ")[0] : "0";
  svg.children[0].setAttribute("d", line ? `${line}L100 30L${first} 30Z` : "");
  svg.children[1].setAttribute("d", line);
}

function showLevels(levels, perSecond) {
  keep($("levels"), LEVELS, (level) => level, (level) => {
    const tile = make("article", `tile ${levelClass(level)}`);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 100 30");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    const area = document.createElementNS(SVG, "path");
    area.setAttribute("class", "area");
    svg.append(area, document.createElementNS(SVG, "path"));
    tile.append(make("h3", "", level), make("p", "total"), make("p", "rate"), svg);
    return tile;
  }, (tile, level) => {
    const total = levels[level] || 0;
    put(tile.children[1], count(total));
    tile.children[1].title = whole.format(total);
    const recent = perSecond[level].slice(-15);
    put(tile.children[2], rate(recent.reduce((a, b) => a + b, 0) / Math.max(1, recent.length)));
    tile.classList.toggle("none", total === 0);
    if (perSecond.times.length) spark(tile.children[3], perSecond.times, perSecond[level]);
  });
}

// ---- the chart: rates stacked, the usual at the bottom, the grave on top ----

let chart = null;
let chartOf = "";

function showChart(levels, perSecond) {
  const box = $("chart");
  put($("rate-n"), past.times.length > 1 ? `last ${span(reach())}` : "");
  const active = [...LEVELS].reverse().filter((level) => levels[level] > 0);
  const raw = active.map((level) => perSecond[level]);
  const stacked = [];
  raw.forEach((values, n) => stacked.push(values.map((v, i) => v + (n ? stacked[n - 1][i] : 0))));
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const of = `${active.join()} ${dark}`;
  if (chart && chartOf !== of) { chart.destroy(); chart = null; }
  // Drawn from the top of the stack down, so that lower areas cover the upper ones.
  const data = [perSecond.times, ...stacked.reverse()];
  if (chart) {
    chart.raw = raw;
    chart.setData(data);
    return;
  }
  if (!active.length || perSecond.times.length < 2) return;
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  const axis = { stroke: color("soft"), grid: { stroke: color("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  chartOf = of;
  chart = new uPlot({
    width: box.clientWidth, height: 240,
    scales: { x: { range: (u, min, max) => [max - reach(), max] }, y: { range: (u, min, max) => [0, Math.max(max * 1.08, 0.1)] } },
    axes: [{ ...axis, space: 80, values: (u, ticks) => ticks.map(clock) }, { ...axis, size: 54, values: (u, ticks) => ticks.map((t) => (t >= 1 || t === 0 ? count(t) : t.toFixed(2))) }],
    cursor: { drag: { x: false, y: false }, points: { show: false } },
    legend: { live: true },
    series: [{ value: (u, t) => (t == null ? "now" : clock(t)) },
      ...[...active].reverse().map((level, n) => ({
        label: level, stroke: color(level), width: 1.25, points: { show: false },
        fill: mixed(color(level), color("card")),
        value: (u, v, s, i) => {
          const of = u.raw[active.length - 1 - n];
          return rate(of[i == null ? of.length - 1 : i]);
        },
      }))],
  }, data, box);
  chart.raw = raw;
}

// A color of a third of `a` on `b`, opaque, both `#rrggbb` or `#rgb`.
function mixed(a, b) {
  const parts = (c) => (c.length === 4 ? [...c.slice(1)].map((x) => x + x) : c.slice(1).match(/../g)).map((x) => parseInt(x, 16));
  const [x, y] = [parts(a), parts(b)];
  return `rgb(${x.map((v, i) => Math.round(v * 0.36 + y[i] * 0.64)).join()})`;
}

// ---- tables ----

function cell(row, label, name) {
  const td = make("td", name);
  if (label) td.dataset.label = label;
  row.append(td);
  return td;
}

function mix(box, levels) {
  const all = LEVELS.reduce((sum, level) => sum + levels[level], 0);
  const parts = LEVELS.filter((level) => levels[level] > 0);
  box.title = parts.map((level) => `${level} ${whole.format(levels[level])}`).join(", ");
  keep(box, parts, (level) => level, (level) => make("i", levelClass(level)), (part, level) => {
    part.style.width = `${(levels[level] / all) * 100}%`;
  });
  return all;
}

function showFiles(status) {
  const query = $("files-q").value.toLowerCase();
  const wanted = status.files.filter((f) => `${f.path} ${f.input} ${f.format}`.toLowerCase().includes(query));
  put($("files-n"), status.files_total > status.files.length
    ? `${whole.format(status.files.length)} of ${whole.format(status.files_total)}` : whole.format(status.files_total));
  keep($("files"), wanted, (f) => `${f.input}\n${f.path}`, () => {
    const row = make("tr");
    cell(row).append(make("span"), make("span", "sub"), make("span", "sub bad"));
    cell(row, "Format");
    cell(row, "Levels").append(make("div", "mix"));
    for (const label of ["Events", "Size", "Unread", "Last event"]) cell(row, label, "n");
    return row;
  }, (row, f) => {
    const td = row.children;
    put(td[0].children[0], f.path);
    put(td[0].children[1], f.input);
    put(td[0].children[2], f.error || "");
    put(td[1], f.format);
    put(td[3], count(mix(td[2].firstChild, f.levels)));
    put(td[4], bytes(f.size));
    put(td[5], f.unread ? bytes(f.unread) : "0");
    td[5].classList.toggle("late", f.unread > 1048576);
    put(td[6], f.last_event ? `${span(status.now - f.last_event)} ago` : "never");
  });
  const none = $("files-none");
  none.hidden = wanted.length > 0;
  put(none, status.files.length ? "No file matches the filter." : "No files are followed. Name some: logtally '/var/log/**/*.log'");
}

function showRules(status) {
  const query = $("rules-q").value.toLowerCase();
  const wanted = status.rules.filter((r) => `${r.group} ${r.name}`.toLowerCase().includes(query));
  wanted.sort((a, b) => b.events - a.events || (a.group + a.name < b.group + b.name ? -1 : 1));
  const matched = status.rules.filter((r) => r.events > 0).length;
  $("sample-h").hidden = !status.samples;
  put($("rules-n"), `${whole.format(status.rules.length)}, ${whole.format(matched)} matched`);
  keep($("rules"), wanted, (r) => `${r.group}\n${r.name}`, () => {
    const row = make("tr");
    cell(row).append(make("span"), make("span", "sub"));
    for (const label of ["Events", "Last match", "Cost"]) cell(row, label, "n");
    cell(row, "", "full").append(make("code"));
    return row;
  }, (row, r) => {
    const td = row.children;
    put(td[0].children[0], r.name);
    put(td[0].children[1], r.group);
    put(td[1], count(r.events));
    put(td[2], r.last_match ? `${span(status.now - r.last_match)} ago` : "never");
    put(td[3], cost(r.seconds));
    td[4].hidden = !status.samples;
    put(td[4].firstChild, r.sample || "");
    td[4].firstChild.title = r.sample || "";
    row.classList.toggle("quiet", r.events === 0);
  });
  const none = $("rules-none");
  none.hidden = wanted.length > 0;
  put(none, status.rules.length ? "No rule matches the filter." : "No rules are in force; events are counted by level only.");
}

// ---- the rest ----

function showWarnings(status) {
  const box = $("warnings");
  box.hidden = status.warnings.length === 0;
  keep(box.lastElementChild, status.warnings, (w) => w.what, () => {
    const item = make("li");
    item.append(make("b"), make("small"), make("span"));
    return item;
  }, (item, w) => {
    const times = w.count > 1 ? ` ${whole.format(w.count)} times` : "";
    const since = w.since ? ` for ${span(status.now - w.since)}` : "";
    put(item.children[0], w.what);
    put(item.children[1], times + since);
    put(item.children[2], w.next);
  });
}

function meter(label, share, text, peak) {
  return { label, share: Math.min(1, Math.max(0, share || 0)), text, peak };
}

function showHost(status) {
  const host = status.host;
  const box = $("host");
  box.hidden = !host;
  if (!host) return;
  put($("host-n"), host.name);
  const meters = [
    meter("CPU", host.cpu_used, `${percent(host.cpu_used)}, peak ${percent(host.cpu_peak)}`, host.cpu_peak),
    meter("Memory", host.memory_used, `${percent(host.memory_used)} of ${bytes(host.memory_bytes)}`),
  ];
  if (host.swap_bytes) meters.push(meter("Swap", host.swap_used, `${percent(host.swap_used)} of ${bytes(host.swap_bytes)}`));
  for (const fs of host.filesystems) meters.push(meter(fs.mount, fs.used, `${percent(fs.used)} of ${bytes(fs.size)}`));
  keep(box.querySelector(".meters"), meters, (m) => m.label, (m) => {
    const row = make("div", "meter");
    const track = make("div");
    track.append(make("i"), make("u"));
    row.append(make("span", "", m.label), track, make("span"));
    row.firstChild.title = m.label;
    return row;
  }, (row, m) => {
    const [fill, peak] = row.children[1].children;
    fill.style.width = `${m.share * 100}%`;
    peak.hidden = m.peak === undefined;
    peak.style.left = `${Math.min(1, m.peak || 0) * 100}%`;
    row.className = `meter${m.share > 0.95 ? " full" : m.share > 0.85 ? " high" : ""}`;
    put(row.children[2], m.text);
  });
  facts(box.querySelector("dl"), [
    ["Load", host.load.map((x) => x.toFixed(2)).join("  ")],
    ["Processors", String(host.cpus)],
    ["Network in, out", `${bytes(host.network[0])}/s, ${bytes(host.network[1])}/s`],
    ["Up", span(status.now - host.booted)],
    ["System", host.system],
  ]);
}

function showInside(status) {
  const store = status.store;
  const config = status.config;
  facts($("inside"), [
    ["Store", store.path || "none: counts start anew with each start"],
    ["Size", store.path ? bytes(store.bytes) : undefined],
    ["Last commit", store.committed ? `${span(status.now - store.committed)} ago, took ${cost(store.commit_seconds)}` : undefined],
    ["Store error", store.error || undefined, true],
    ["Config", config.file || "none: flags and defaults"],
    ["Read", config.loaded ? `${span(status.now - config.loaded)} ago` : undefined],
    ["Reload failed", config.error || undefined, true],
  ]);
  put($("config"), config.text);
  put($("foot"), `logtally ${status.version}${status.revision ? ` (${status.revision})` : ""}`);
}

function show(status) {
  const perSecond = rates();
  const totals = status.totals;
  put($("version"), status.version);
  document.title = totals.levels.critical ? `(${count(totals.levels.critical)} critical) logtally` : "logtally";
  say(status.not_ready ? "busy" : "good", status.not_ready || "live");
  showWarnings(status);
  facts($("facts"), [
    ["Events", count(totals.events)], ["Lines", count(totals.lines)], ["Read", bytes(totals.bytes)],
    ["Files", count(status.files_total)], ["Inputs", count(status.inputs.length)], ["Running for", span(status.now - status.started)],
  ]);
  showLevels(totals.levels, perSecond);
  showChart(totals.levels, perSecond);
  showFiles(status);
  showRules(status);
  showHost(status);
  showInside(status);
}

function say(kind, text) {
  $("state").className = `pill ${kind}`;
  put($("state"), text);
}

// ---- the loop ----

let latest = null;

async function poll() {
  try {
    const fresh = past.times.length === 0;
    const answer = await fetch(`api/v1/status${fresh ? "?history" : ""}`, { signal: AbortSignal.timeout(8000), cache: "no-store" });
    if (!answer.ok) throw new Error((await answer.text()).trim() || `status ${answer.status}`);
    const status = await answer.json();
    (status.history || []).forEach(([time, levels]) => remember(time, levels));
    remember(status.now, INDEX.map((level) => status.totals.levels[level]));
    latest = status;
    show(status);
  } catch (error) {
    say("bad", latest ? `no answer since ${span(Date.now() / 1000 - latest.now)}` : "no answer");
    console.warn(error);
  } finally {
    setTimeout(poll, document.hidden ? 5 * EVERY : EVERY);
  }
}

for (const id of ["files-q", "rules-q"]) $(id).addEventListener("input", () => latest && show(latest));
addEventListener("resize", () => chart && chart.setSize({ width: $("chart").clientWidth, height: 240 }));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => latest && show(latest));
document.addEventListener("visibilitychange", () => { if (!document.hidden && latest) show(latest); });
poll();
