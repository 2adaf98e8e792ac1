// Puts a fleet on the page. Text from elsewhere goes in as text nodes only, so a name can never become markup.

/** Nodes of one zone that are shown; a page with more is of no use to a person. */
const NODES_SHOWN = 150;

const UNKNOWN = "–";

const element = (id) => document.getElementById(id);

/** A new element with a class and children or text. */
function make(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** Writes only what differs, so that nothing flickers and a selection survives. */
function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

function setData(target, key, value) {
  if (value === undefined) delete target.dataset[key];
  else if (target.dataset[key] !== value) target.dataset[key] = value;
}

function setTitle(target, text) {
  if (target.title !== text) target.title = text;
}

/** Makes the children of `parent` those of `items`, keeping elements of the same key. */
function reconcile(parent, items, keyOf, create, update) {
  const old = new Map([...parent.children].map((child) => [child.reconcileKey, child]));
  let place = parent.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    let child = old.get(key);
    old.delete(key);
    if (!child) {
      child = create(item);
      child.reconcileKey = key;
    }
    if (child !== place) parent.insertBefore(child, place);
    else place = place.nextSibling;
    update(child, item);
  }
  for (const child of old.values()) child.remove();
}

export const number = (value) =>
  value == null ? UNKNOWN : value.toLocaleString("en-US", { maximumFractionDigits: Math.abs(value) < 10 ? 1 : 0 });
const percent = (value) => (value == null ? UNKNOWN : `${Math.round(value)} %`);
const seconds = (value) => (value == null ? UNKNOWN : value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`);
const gibibytes = (value) => (value == null ? UNKNOWN : `${Math.round(value / 2 ** 30)}`);
const word = (name, prefix) => (name ?? "").replace(prefix, "").toLowerCase() || "unknown";

export function age(milliseconds) {
  const value = Math.max(0, milliseconds) / 1000;
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 120) return `${Math.floor(value)} s`;
  if (value < 7200) return `${Math.floor(value / 60)} min`;
  return value < 172800 ? `${Math.floor(value / 3600)} h` : `${Math.floor(value / 86400)} d`;
}

/** Age of an entry now: what it was told with, and the time since. */
const ageOf = (entry, now) => Number(entry.age_ms ?? 0) + (now - entry.told_at);

export function render(fleet, now) {
  element("simulated").hidden = !fleet.simulated;
  element("empty").hidden = !fleet.synced || fleet.nodes.size > 0;
  renderTotals(fleet.totals());
  renderPools(fleet);
  renderZones(fleet, now);
  renderEvents(fleet.events, now);
}

function renderTotals(totals) {
  const counted = (name, [good, all]) => [name, String(good), `of ${all}`, good < all ? "warn" : ""];
  const items = [
    counted("Nodes fresh", totals.nodes),
    counted("GPUs OK", totals.gpus),
    counted("Engines serving", totals.engines),
    ["Requests running", number(totals.running), "", ""],
    ["Requests waiting", number(totals.waiting), "", totals.waiting >= 1 ? "warn" : ""],
    ["Tokens generated", number(totals.tokens), "/s", ""],
    ["GPU power", totals.watts == null ? UNKNOWN : number(totals.watts / 1000), "kW", ""],
  ];
  const create = ([name]) => make("div", "", make("dt", "", name), make("dd", "", make("span", ""), " ", make("small", "")));
  reconcile(element("totals"), items, ([name]) => name, create, (div, [, value, unit, tone]) => {
    const [main, small] = div.lastChild.children;
    setText(main, value);
    setText(small, unit);
    if (main.className !== tone) main.className = tone;
  });
}

function renderPools(fleet) {
  const pools = [...fleet.pools.values()].sort((one, two) => (one.name < two.name ? -1 : 1));
  element("pools-section").hidden = pools.length === 0;
  const create = () => {
    const row = make("tr", "");
    const name = make("th", "");
    name.scope = "row";
    row.append(name, ...Array.from({ length: 8 }, () => make("td", "")));
    row.children[4].append(sparkline());
    const bar = make("span", "bar", make("span", ""));
    bar.setAttribute("aria-hidden", "true");
    row.children[5].append(bar, make("span", ""));
    return row;
  };
  reconcile(element("pools").tBodies[0], pools, (pool) => pool.name, create, (row, pool) => {
    const signals = pool.signals ?? {};
    const cells = row.children;
    setText(cells[0], pool.name);
    setTitle(cells[0], pool.model ?? pool.name);
    setText(cells[1], `${pool.engines_serving ?? 0}/${pool.engines ?? 0}`);
    setText(cells[2], number(signals.requests_running));
    setText(cells[3], number(signals.requests_waiting));
    cells[3].className = signals.requests_waiting >= 1 ? "warn" : "";
    drawSparkline(cells[4].firstChild, fleet.queues.get(pool.name) ?? []);
    cells[5].firstChild.firstChild.style.width = `${100 * Math.min(1, signals.kv_cache_usage ?? 0)}%`;
    setText(cells[5].lastChild, percent(signals.kv_cache_usage == null ? null : signals.kv_cache_usage * 100));
    setText(cells[6], seconds(signals.ttft_p95_seconds));
    setText(cells[7], seconds(signals.itl_p95_seconds));
    setText(cells[8], number(signals.generation_tokens_per_second));
  });
}

const SVG = "http://www.w3.org/2000/svg";

function sparkline() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", "0 0 120 24");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.append(document.createElementNS(SVG, "polyline"));
  return svg;
}

function drawSparkline(svg, values) {
  const highest = Math.max(1, ...values.map((value) => value ?? 0));
  const points = values.map((value, place) => `${120 - values.length + place},${22.5 - ((value ?? 0) / highest) * 20}`);
  svg.firstChild.setAttribute("points", points.join(" "));
  svg.setAttribute("aria-label", `requests waiting, at most ${number(highest)}`);
}

function renderZones(fleet, now) {
  const gpus = fleet.gpusByNode();
  const create = ([name]) => {
    const title = make("h3", "", name || "(no zone)");
    const head = make("header", "", title, make("span", "quiet"), make("span", "spacer"), make("span", "quiet"));
    const section = make("section", "zone", head, make("ul", "nodes"), make("p", "quiet"));
    section.setAttribute("aria-label", `zone ${name}`);
    return section;
  };
  reconcile(element("zones"), fleet.nodesByZone(), ([name]) => name, create, (section, [name, nodes]) => {
    const signals = fleet.zones.get(name)?.signals ?? {};
    const fresh = nodes.filter((node) => node.state === "NODE_STATE_FRESH").length;
    const [, counts, , load] = section.firstChild.children;
    setText(counts, `${fresh} of ${nodes.length} nodes fresh`);
    counts.className = fresh < nodes.length ? "bad" : "quiet";
    setData(section, "dark", String(nodes.length > 0 && fresh === 0));
    const power = signals.gpu_power_watts == null ? UNKNOWN : `${(signals.gpu_power_watts / 1000).toFixed(1)} kW`;
    setText(load, `${percent(signals.gpu_utilization_percent)} busy · ${power} · ${number(signals.requests_waiting)} waiting`);
    reconcile(section.children[1], nodes.slice(0, NODES_SHOWN), (node) => node.name, createNode, (item, node) =>
      updateNode(item, node, gpus.get(node.name) ?? [], now));
    const more = nodes.length - NODES_SHOWN;
    setText(section.lastChild, more > 0 ? `and ${more} more: ostler get nodes --filter 'zone = "${name}"'` : "");
    section.lastChild.hidden = more <= 0;
  });
}

function createNode(node) {
  const item = make("li", "node", make("span", "name", node.name), make("span", "state"), make("ul", "gpus"), make("span", "facts"));
  item.children[0].title = node.name;
  item.children[2].setAttribute("aria-label", `GPUs of ${node.name}`);
  return item;
}

function updateNode(item, node, gpus, now) {
  const state = word(node.state, "NODE_STATE_");
  setData(item, "state", state);
  const [, mark, cells, facts] = item.children;
  setText(mark, `${state}, ${age(ageOf(node, now))}${node.simulated ? " · simulated" : ""}`);
  setTitle(mark, node.state_reason ?? "");
  const waiting = node.requests_waiting == null ? "" : `${number(node.requests_running)} running, ${number(node.requests_waiting)} waiting`;
  setText(facts, waiting || (node.gpu_count ? "" : "no GPU"));
  const silent = state !== "fresh";
  const create = () => make("li", "gpu");
  reconcile(cells, gpus, (gpu) => gpu.name, create, (cell, gpu) => updateGpu(cell, gpu, silent));
}

const MARKS = { lost: "✕", hung: "H", degraded: "!", stale: "?" };

/** What the cell of a GPU shows: a state that is not OK, or how busy it is. */
function markOf(gpu, silent) {
  const state = word(gpu.state, "GPU_STATE_");
  if (state === "lost" || state === "hung") return state;
  if (silent || state !== "ok" && state !== "degraded" || gpu.utilization_percent == null) return "stale";
  return state === "degraded" ? "degraded" : undefined;
}

function updateGpu(cell, gpu, silent) {
  const mark = markOf(gpu, silent);
  const busy = gpu.utilization_percent;
  setData(cell, "state", mark);
  setData(cell, "load", mark ? undefined : String(Math.min(4, Math.floor(busy / 20))));
  setText(cell, mark ? MARKS[mark] : String(Math.round(busy)));
  const facts = [
    `GPU ${gpu.index ?? 0}, ${gpu.model ?? "unknown model"}`,
    mark ? `${mark === "stale" ? "not fresh" : mark}${gpu.state_reason ? `: ${gpu.state_reason}` : ""}` : `${percent(busy)} busy`,
    `${gibibytes(gpu.memory_used_bytes)} of ${gibibytes(gpu.memory_total_bytes)} GiB`,
    gpu.temperature_celsius == null ? "" : `${Math.round(gpu.temperature_celsius)} °C`,
    gpu.power_watts == null ? "" : `${Math.round(gpu.power_watts)} W`,
  ];
  const text = facts.filter(Boolean).join(", ");
  if (cell.title !== text) {
    cell.title = text;
    cell.setAttribute("aria-label", text);
  }
}

const SEVERITIES = { SEVERITY_CRITICAL: ["✕ critical", "bad"], SEVERITY_WARNING: ["▲ warning", "warn"], SEVERITY_INFO: ["● info", "quiet"] };

function renderEvents(events, now) {
  const shown = events.length ? events.slice(0, 40) : [{ name: "", message: "Nothing has happened yet.", told_at: now }];
  const create = () => make("li", "", make("span", "when"), make("span", ""), make("span", ""), make("span", "what"));
  reconcile(element("events"), shown, (event) => event.name, create, (item, event) => {
    const [when, severity, kind, what] = item.children;
    const [text, tone] = SEVERITIES[event.severity] ?? ["", "quiet"];
    setText(when, event.name ? age(ageOf(event, now)) : "");
    setTitle(when, event.time ?? "");
    setText(severity, text);
    severity.className = tone;
    setText(kind, event.kind ?? "");
    const place = [event.zone, event.node].filter(Boolean).join("/");
    setText(what, [place, event.message].filter(Boolean).join(": "));
  });
}

/** Tells how the connection is: "connecting", "live" or "lost", with the age of what is shown. */
export function renderLink(link, sinceMessage) {
  const words = { connecting: "Connecting", live: "Live", lost: "Disconnected, retrying" };
  setData(document.body, "link", link);
  setText(element("link"), words[link]);
  setText(element("age"), sinceMessage == null ? "" : `updated ${age(sinceMessage)} ago`);
  const broken = element("broken");
  broken.hidden = link !== "lost";
  if (link === "lost") setText(broken, "Disconnected from the coordinator; retrying. What is shown is the last that was known.");
}

export function renderConnectHint() {
  setText(element("connect"), `ostler-agent --coordinator http://${location.hostname}:7400 --zone ZONE`);
}
