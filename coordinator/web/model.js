// The fleet as the coordinator tells it: answers of a watch folded into maps. Knows nothing of the page.

/** Newest events that are kept. */
const EVENTS_MAX = 100;

/** Points of a pool's queue that are kept: two minutes, one a second. */
const HISTORY_MAX = 120;

/** Kind of a removed entry, as in the wire's `Kind`, to the map that it is in. */
const MAPS = { KIND_ZONE: "zones", KIND_NODE: "nodes", KIND_GPU: "gpus", KIND_ENGINE: "engines", KIND_POOL: "pools" };

export class Fleet {
  constructor() {
    /** Requests waiting in each pool over time; survives a reset, because the past does not change. */
    this.queues = new Map();
    this.clear();
  }

  clear() {
    this.zones = new Map();
    this.nodes = new Map();
    this.gpus = new Map();
    this.engines = new Map();
    this.pools = new Map();
    this.events = [];
    this.synced = false;
  }

  /** Folds one WatchResponse that arrived at `now` (milliseconds). */
  apply(response, now) {
    if (response.reset) this.clear();
    for (const change of response.changes ?? []) {
      if (change.removed) this.remove(change.removed);
      else if (change.event) this.addEvent(change.event, now);
      else this.put(change, now);
    }
    if (response.synced) this.synced = true;
  }

  put(change, now) {
    for (const [key, map] of [["zone", this.zones], ["node", this.nodes], ["gpu", this.gpus], ["engine", this.engines], ["pool", this.pools]]) {
      const entry = change[key];
      if (entry) map.set(entry.name ?? "", { ...entry, told_at: now });
    }
  }

  remove({ kind, name }) {
    if (kind === "KIND_EVENT") this.events = this.events.filter((event) => event.name !== name);
    else if (MAPS[kind]) this[MAPS[kind]].delete(name ?? "");
  }

  addEvent(event, now) {
    if (this.events.some((known) => known.name === event.name)) return;
    this.events.push({ ...event, told_at: now });
    this.events.sort((one, two) => (one.name < two.name ? 1 : -1));
    this.events.length = Math.min(this.events.length, EVENTS_MAX);
  }

  /** Remembers how many requests wait in each pool; called once a second. */
  remember() {
    for (const name of this.queues.keys()) if (!this.pools.has(name)) this.queues.delete(name);
    for (const [name, pool] of this.pools) {
      const queue = this.queues.get(name) ?? [];
      queue.push(pool.signals?.requests_waiting ?? null);
      if (queue.length > HISTORY_MAX) queue.shift();
      this.queues.set(name, queue);
    }
  }

  /** [zone name, its nodes by name], by zone name. */
  nodesByZone() {
    const zones = new Map([...this.zones.keys()].map((name) => [name, []]));
    for (const node of this.nodes.values()) {
      const zone = node.zone ?? "";
      if (!zones.has(zone)) zones.set(zone, []);
      zones.get(zone).push(node);
    }
    const byName = (one, two) => (one < two ? -1 : one > two ? 1 : 0);
    for (const nodes of zones.values()) nodes.sort((one, two) => byName(one.name, two.name));
    return [...zones].sort(([one], [two]) => byName(one, two));
  }

  /** Node name to its GPUs by index. */
  gpusByNode() {
    const nodes = new Map();
    for (const gpu of this.gpus.values()) {
      if (!nodes.has(gpu.node)) nodes.set(gpu.node, []);
      nodes.get(gpu.node).push(gpu);
    }
    for (const gpus of nodes.values()) gpus.sort((one, two) => (one.index ?? 0) - (two.index ?? 0));
    return nodes;
  }

  get simulated() {
    return [...this.nodes.values()].some((node) => node.simulated);
  }

  /** Sums over pools, zones and states for the line of totals. Null is unknown. */
  totals() {
    const count = (map, good) => [[...map.values()].filter(good).length, map.size];
    // What a silent node had last is not what it has.
    const fresh = (name) => this.nodes.get(name)?.state === "NODE_STATE_FRESH";
    const sum = (map, field) => {
      const known = [...map.values()].map((entry) => entry.signals?.[field]).filter((value) => value != null);
      return known.length ? known.reduce((one, two) => one + two, 0) : null;
    };
    return {
      nodes: count(this.nodes, (node) => node.state === "NODE_STATE_FRESH"),
      gpus: count(this.gpus, (gpu) => gpu.state === "GPU_STATE_OK" && fresh(gpu.node)),
      engines: count(this.engines, (engine) => engine.state === "ENGINE_STATE_SERVING" && fresh(engine.node)),
      running: sum(this.pools, "requests_running"),
      waiting: sum(this.pools, "requests_waiting"),
      tokens: sum(this.pools, "generation_tokens_per_second"),
      watts: sum(this.zones, "gpu_power_watts"),
    };
  }
}
