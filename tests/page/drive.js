// Looks at the page as a person would, and ends with 1 and a reason where something is not as it should be.
// node drive.js CHROMIUM URL LOG on|off: lines are appended to LOG, and the page must show them; samples are on or off.
// With SCREENSHOTS=FOLDER it leaves pictures there.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { execFileSync } = require("node:child_process");
const { chromium } = require("playwright-core");

const [program, url, log, samples] = process.argv.slice(2);
const PATIENCE = 30000;
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const SECRETS = ["hunter2", "4111 1111 1111 1111", "bob@example.org", "CUST-17"];
const VIEWS = [
  { name: "desk", width: 1280, height: 900 }, { name: "phone", width: 390, height: 844 },
];

function write(level, count, text) {
  const line = (n) => `2026-11-20 12:00:00,${String(n).padStart(3, "0")} ${level} shop.db ${text}\n`;
  fs.appendFileSync(log, Array.from({ length: count }, (_, n) => line(n)).join(""));
}

// What is not right is collected while the page works.
function watch(page, wrong) {
  page.on("console", (said) => { if (["error", "warning"].includes(said.type())) wrong.push(`console: ${said.text()}`); });
  page.on("pageerror", (error) => wrong.push(`error: ${error}`));
  page.on("requestfailed", (request) => wrong.push(`failed: ${request.url()}`));
  page.on("request", (request) => { if (!request.url().startsWith(url)) wrong.push(`outside: ${request.url()}`); });
  page.on("response", (response) => { if (response.status() >= 400) wrong.push(`${response.status()}: ${response.url()}`); });
}

const total = (page, level) => page.locator(`.tile.${level} .total`);

async function until(what, locator, expected) {
  const deadline = Date.now() + PATIENCE;
  let seen;
  do {
    seen = await locator.textContent();
    if (expected instanceof RegExp ? expected.test(seen) : seen === expected) return;
    await locator.page().waitForTimeout(50);
  } while (Date.now() < deadline);
  assert.fail(`${what}: expected ${expected}, the page shows ${seen}`);
}

async function live(page) {
  await until("no errors yet", total(page, "error"), "0");
  write("INFO", 3, "started");
  write("ERROR", 5, "request of CUST-17 bob@example.org card 4111 1111 1111 1111 password=hunter2 timed out after 30s");
  await until("errors", total(page, "error"), "5");
  await until("infos", total(page, "info"), "3");
  await until("the sum", page.locator("#facts dd").first(), "8");
  write("ERROR", 2, "request of CUST-17 password=hunter2 timed out after 30s");
  await until("more errors", total(page, "error"), "7");
}

async function rules(page) {
  const row = page.locator("#rules tr", { hasText: "timeout" });
  await until("the rule's count", row.locator("td").nth(1), "7");
  await until("its last match", row.locator("td").nth(2), /ago$/);
  await until("the other rule", page.locator("#rules tr", { hasText: "never" }).locator("td").nth(2), "never");
  const json = await page.evaluate(async () => (await fetch("api/v1/status")).text());
  const rule = JSON.parse(json).rules.find((one) => one.name === "timeout");
  if (samples === "on") {
    await until("its sample", row.locator("code"), /ERROR shop\.db request of \[redacted\] .*password=\[redacted\] timed out after 30s$/);
    assert.match(rule.sample, /\[redacted\]/);
  } else {
    assert.ok(!(await row.locator("code").isVisible()) && !(await page.getByText("Last sample").isVisible()), "samples are off");
    assert.ok(!("sample" in rule), "samples are off in JSON");
  }
  const shown = (await page.content()) + json;
  // The own expression stands in the config, which is shown; what it stands for does not.
  for (const secret of SECRETS) assert.ok(!shown.includes(secret), `${secret} is shown`);
}

async function warnings(page) {
  const box = page.locator("#warnings");
  await box.waitFor({ state: "visible", timeout: PATIENCE });
  await until("what is wrong", box, /secret\.log may not be read/);
  await until("the next step", box, /CAP_DAC_READ_SEARCH/);
  await until("the file", page.locator("#files tr", { hasText: "secret.log" }), /cannot be read: permission/);
}

async function fits(page, name) {
  const wide = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const out = [...document.querySelectorAll("body *")].filter((node) => {
      const box = node.getBoundingClientRect();
      return box.width > 0 && box.right > width + 1 && !node.closest("pre, thead, svg, .uplot");
    });
    return { scroll: document.documentElement.scrollWidth - width, out: out.map((node) => `${node.tagName}.${node.className}#${node.id}`) };
  });
  assert.deepStrictEqual(wide, { scroll: 0, out: [] }, `${name} is wider than its window`);
}

async function main() {
  const executablePath = execFileSync("sh", ["-c", 'command -v "$1"', "sh", program], { encoding: "utf8" }).trim();
  const browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
  const wrong = [];
  const ground = {};
  try {
    let first = true;
    for (const view of VIEWS) {
      for (const colorScheme of ["light", "dark"]) {
        const context = await browser.newContext({ viewport: { width: view.width, height: view.height }, colorScheme });
        const page = await context.newPage();
        page.setDefaultTimeout(PATIENCE);
        watch(page, wrong);
        await page.goto(url);
        if (first) await live(page);
        first = false;
        await until("the state", page.locator("#state"), /live/);
        await rules(page);
        await warnings(page);
        await page.locator("#chart canvas").waitFor({ state: "visible" });
        await fits(page, `${view.name}, ${colorScheme}`);
        ground[colorScheme] = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        if (process.env.SCREENSHOTS) {
          await page.screenshot({ path: path.join(process.env.SCREENSHOTS, `${view.name}-${colorScheme}-${samples}.png`), fullPage: true });
        }
        // What is under way now was not asked for by the page being good.
        page.removeAllListeners("requestfailed");
        await context.close();
      }
    }
  } finally {
    await browser.close();
  }
  assert.notStrictEqual(ground.light, ground.dark, "light and dark look the same");
  assert.deepStrictEqual(wrong, []);
}

setTimeout(() => { console.error("drive.js: too late"); process.exit(1); }, 4 * PATIENCE).unref();
main().catch((error) => { console.error(error); process.exit(1); });
