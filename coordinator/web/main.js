// Connects the page to the coordinator's watch and the clock.

import { Fleet } from "./model.js";
import { render, renderConnectHint, renderLink } from "./page.js";

const WATCH = "api/v1/watch?kinds=zone,node,gpu,engine,pool,event&interval_ms=500";

/** The browser retries a broken stream by itself, but not one that was refused; then we do, after this long. */
const RETRY_MS = 2000;

/** A stream that says nothing for so long, while a fleet is known, is broken even if the connection looks alive. */
const SILENCE_MS_MAX = 15000;

const fleet = new Fleet();
let link = "connecting";
let lastMessageAt = null;
let source = null;

function connect() {
  source?.close();
  source = new EventSource(WATCH);
  source.onopen = () => {
    link = "live";
  };
  source.onmessage = (message) => {
    link = "live";
    lastMessageAt = performance.now();
    fleet.apply(JSON.parse(message.data), lastMessageAt);
    draw();
  };
  source.onerror = () => {
    link = "lost";
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS);
    draw();
  };
}

let drawing = false;

/** Draws once for all messages that arrive before the next frame. */
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    const now = performance.now();
    render(fleet, now);
    renderLink(link, lastMessageAt == null ? null : now - lastMessageAt);
  });
}

renderConnectHint();
connect();
setInterval(draw, 500);
setInterval(() => {
  fleet.remember();
  const silent = lastMessageAt != null && performance.now() - lastMessageAt > SILENCE_MS_MAX;
  if (link === "live" && silent && fleet.nodes.size > 0) {
    link = "lost";
    connect();
  }
}, 1000);
