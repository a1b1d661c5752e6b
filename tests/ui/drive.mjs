/* What the tests of the page share: a browser that tells what it asked for and what it complained about. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const patience = process.env.EC_SANITIZER && process.env.EC_SANITIZER !== "none" ? 60000 : 20000;
let number = 0;

export let failed = 0;

/* One line of TAP. */
export function check(good, what, detail = "") {
    number++;
    failed += good ? 0 : 1;
    console.log(`${good ? "" : "not "}ok ${number} - ${what}`);
    if (!good && detail)
        console.log("# " + String(detail).replaceAll("\n", "\n# "));
    return good;
}

export function launch() {
    return chromium.launch({ executablePath: process.env.EC_CHROMIUM ?? "/usr/bin/chromium", args: quiet });
}

/* A page in a context of its own; its .complaints and .elsewhere fill as they happen. */
export async function visit(browser, base, { width, scheme, motion = "reduce" }) {
    const context = await browser.newContext({
        viewport: { width, height: width < 600 ? 780 : 900 }, colorScheme: scheme, reducedMotion: motion,
        hasTouch: width < 600,
    });
    const page = await context.newPage();

    page.complaints = [];
    page.elsewhere = [];
    page.on("console", (m) => m.type() === "error" && page.complaints.push(`${m.text()} ${m.location().url}`));
    page.on("pageerror", (e) => page.complaints.push(e.message));
    page.on("request", (r) => {
        const url = new URL(r.url());

        if (url.origin !== new URL(base).origin && !["data:", "blob:"].includes(url.protocol))
            page.elsewhere.push(r.url());
    });
    page.on("websocket", (w) => page.elsewhere.push(w.url()));
    page.setDefaultTimeout(patience);
    return page;
}

/* Faults that axe calls serious or critical, a line each. */
export async function faults(page) {
    /* evaluate() is not bound by the page's policy, as a script element would be */
    await page.evaluate(axe);
    const result = await page.evaluate(() => window.axe.run());

    return result.violations
        .filter((v) => ["serious", "critical"].includes(v.impact))
        .map((v) => `${v.impact} ${v.id}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")}`);
}

export async function logIn(page, base, user, password) {
    await page.goto(base);
    await page.getByLabel("User").fill(user);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
}

/* What leaks out to the sides, in pixels; 0: nothing. */
export function overflow(page) {
    return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
