// The dashboard as a person sees it.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { check, eventually, report, startBrowser, startDemo, startScripted } from "./harness.js";

/** Everything must be over by then, whatever hangs. */
const DEADLINE_MS = 75000;
setTimeout(() => {
  console.log("the tests did not end in time");
  process.exit(1);
}, DEADLINE_MS).unref();

const folder = process.env.SCREENSHOTS;
if (folder) mkdirSync(folder, { recursive: true });
const picture = (page, name) => folder && page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });

const browser = await startBrowser();

async function open(url, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 }, ...options });
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && page.errors.push(message.text()));
  page.foreign = [];
  page.on("request", (request) => new URL(request.url()).origin === new URL(url).origin || page.foreign.push(request.url()));
  await page.goto(url);
  return page;
}

const demo = await startDemo("--seed", "7");
const page = await open(demo.url);
const count = (selector) => page.locator(selector).count();
const total = (name) => page.locator(`#totals div:has(dt:text-is("${name}")) dd span`).textContent();

await check("three zones of four nodes with eight GPUs each appear, live", async () => {
  await eventually(async () => (await count("#zones .gpu")) === 96, "96 GPUs");
  assert.deepEqual(await page.locator(".zone h3").allTextContents(), ["zone-a", "zone-b", "zone-c"]);
  assert.equal(await count(".node"), 12);
  assert.equal(await count("#pools tbody tr"), 3);
  await eventually(async () => (await page.locator("#link").textContent()) === "Live", "live");
  assert.equal(await total("Nodes fresh"), "12");
});

await check("it says plainly that the fleet is simulated", async () => {
  assert.ok(await page.locator("#simulated").isVisible());
});

await check("values change by themselves and stay young", async () => {
  const before = await total("Tokens generated");
  await eventually(async () => (await total("Tokens generated")) !== before, "another number of tokens");
  const age = await page.locator("#age").textContent();
  assert.match(age, /^updated [0-2]\.\d s ago$/);
});

await check("a GPU tells its facts to a screen reader", async () => {
  const label = await page.locator("#zones .gpu").first().getAttribute("aria-label");
  assert.match(label, /^GPU 0, NVIDIA .*% busy, \d+ of \d+ GiB, \d+ °C, \d+ W$/);
});

await check("nothing comes from elsewhere and nothing fails", async () => {
  assert.deepEqual([page.foreign, page.errors], [[], []]);
});

await check("a narrow and a dark page have no sideways scroll", async () => {
  const narrow = await open(demo.url, { viewport: { width: 400, height: 800 }, colorScheme: "dark" });
  await eventually(async () => (await narrow.locator("#zones .gpu").count()) === 96, "96 GPUs");
  const [content, width] = await narrow.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  await picture(narrow, "narrow-dark");
  await narrow.close();
  assert.ok(content <= width, `${content} px in ${width} px`);
});

await picture(page, "live");

await check("a GPU that falls off the bus is marked, with its event", async () => {
  await eventually(async () => (await count('#zones .gpu[data-state="lost"]')) === 1, "a lost GPU", 25000);
  await eventually(async () => (await page.locator("#events").textContent()).includes("79"), "the XID");
  await picture(page, "lost");
});

await check("a coordinator that goes away is told, and the last picture stays", async () => {
  demo.kill();
  await demo.ended;
  await eventually(async () => (await page.locator("body").getAttribute("data-link")) === "lost", "the lost link");
  assert.ok(await page.locator("#broken").isVisible());
  assert.equal(await count(".node"), 12);
  await picture(page, "disconnected");
});

await check("names that try to be markup stay text", async () => {
  const name = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
  const node = { name, zone: name, state: "NODE_STATE_FRESH", gpu_count: 1 };
  const event = { name: "1", kind: name, message: name, severity: "SEVERITY_WARNING" };
  const gpu = { name: "GPU-1", node: name, model: name, state: "GPU_STATE_HUNG", state_reason: name };
  const changes = [{ zone: { name } }, { node }, { gpu }, { pool: { name } }, { event }];
  const hostile = await startScripted([{ reset: true, synced: true, revision: "1", epoch: "e", changes }]);
  const other = await open(hostile.url);
  await eventually(async () => (await other.locator(".node").count()) === 1, "the node");
  assert.equal(await other.locator(".node .name").textContent(), name);
  assert.equal(await other.locator("main img, main script").count(), 0);
  assert.equal(await other.title(), "Ostler");
  assert.equal(await other.locator("#zones .gpu").textContent(), "H");
  await picture(other, "hostile");
  await other.close();
  hostile.close();
});

await check("an empty fleet says how to connect an agent", async () => {
  const empty = await startScripted([{ reset: true, synced: true, revision: "1", epoch: "e" }]);
  const other = await open(empty.url);
  await eventually(() => other.locator("#empty").isVisible(), "the hint");
  assert.match(await other.locator("#connect").textContent(), /^ostler-agent --coordinator http:\/\/127\.0\.0\.1:7400/);
  await picture(other, "empty");
  await other.close();
  empty.close();
});

await browser.close();
process.exit(report() ? 0 : 1);
