// What the tests stand on: a running demo, a scripted coordinator, a browser, and a list of named checks.

import { spawn, execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const WEB = join(dirname(fileURLToPath(import.meta.url)), "../../coordinator/web");

/** Starts `ostler up --demo` on free ports; resolves when it has told where its dashboard is. */
export async function startDemo(...options) {
  const free = ["--listen", "127.0.0.1:0", "--listen-http", "127.0.0.1:0", "--no-agent"];
  const child = spawn(process.env.OSTLER_BIN, ["up", "--demo", ...free, ...options], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const found = line.match(/dashboard\s+(http:\/\/\S+)/);
    if (found) {
      child.stdout.resume();
      return { url: found[1], kill: () => child.kill("SIGKILL"), ended: once(child, "exit") };
    }
  }
  throw new Error("ostler up ended without telling where its dashboard is");
}

const FILES = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/dashboard/main.js": ["main.js", "text/javascript"],
  "/dashboard/model.js": ["model.js", "text/javascript"],
  "/dashboard/page.js": ["page.js", "text/javascript"],
  "/dashboard/style.css": ["style.css", "text/css"],
  "/dashboard/icon.svg": ["icon.svg", "image/svg+xml"],
};

/** Serves the page with a watch that says just `responses`, for fleets that no simulation has. */
export async function startScripted(responses) {
  const server = createServer((request, response) => {
    const path = request.url.split("?")[0];
    if (path === "/api/v1/watch") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const message of responses) response.write(`data: ${JSON.stringify(message)}\n\n`);
      return;
    }
    const file = FILES[path];
    response.writeHead(file ? 200 : 404, { "content-type": file?.[1] ?? "text/plain" });
    response.end(file ? readFileSync(join(WEB, file[0])) : "");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => (server.closeAllConnections(), server.close());
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

/** A headless Chromium; whatever a page logs as an error ends up in `errors`. */
export async function startBrowser() {
  const which = (name) => execFileSync("sh", ["-c", `command -v ${name} || true`]).toString().trim();
  const executablePath = which("chromium") || which("chromium-browser");
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  return chromium.launch({ executablePath, args });
}

const results = [];

/** Runs one check and remembers how it went. */
export async function check(name, body) {
  try {
    await body();
    results.push(true);
    console.log(`ok      ${name}`);
  } catch (error) {
    results.push(false);
    console.log(`FAILED  ${name}\n        ${error.stack ?? error}`);
  }
}

/** Prints the counts and tells whether all is well. */
export function report() {
  const passed = results.filter(Boolean).length;
  console.log(`${passed} passed, ${results.length - passed} failed`);
  return passed === results.length;
}

/** Waits until `probe` gives something true. */
export async function eventually(probe, what, milliseconds = 10000) {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${milliseconds} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
