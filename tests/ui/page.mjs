/* Uses the page as people do, against a daemon that runs: node page.mjs BASE PASSWORD-FILE FOLDER
 * A file FOLDER/want-NAME asks the scenario that started this for something, done when it is gone; what it found then
 * stands in FOLDER/NAME. Prints TAP. */
import { createHmac } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { check, failed, faults, launch, logIn, overflow, visit } from "./drive.mjs";

const [base, passwordFile, folder] = process.argv.slice(2);
const fresh = "a long sentence for a test of the page";
const firewall = process.env.EC_FIREWALL === "yes";

async function want(name) {
    const file = join(folder, `want-${name}`);

    writeFileSync(file, "");
    for (let i = 0; existsSync(file) && i < 200; i++)
        await pause(100);
    return existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8").trim() : "";
}

const inbox = (page) => page.locator(".alert-head");
const fits = async (page, what) => {
    check(await overflow(page) === 0, `${what}: nothing leaks out to the side`, await overflow(page));
    const found = await faults(page);

    check(found.length === 0, `${what}: axe finds no serious fault`, found.join("\n"));
};

/* --- the first time ----------------------------------------------------------------------------- */

async function wrongPassword(browser) {
    const page = await visit(browser, base, { width: 1280, scheme: "light" });

    await logIn(page, base, "admin", "wrong");
    await page.getByText("Incorrect username or password").waitFor();
    check(true, "a wrong password is refused in words");
    await page.context().close();
}

async function firstTime(page) {
    const once = readFileSync(passwordFile, "utf8").trim().split("\n").at(-1);

    const reply = await page.goto(base);
    const policy = reply.headers()["content-security-policy"];

    check(/default-src 'self'/.test(policy), "the policy of the page is default-src 'self'", policy);
    await logIn(page, base, "admin", once);
    await page.getByRole("heading", { name: "Choose a password" }).waitFor();
    await fits(page, "one-time password");
    await page.getByLabel("One-time password").fill(once);
    await page.getByLabel("New password", { exact: true }).fill(fresh);
    await page.getByLabel("New password, once more").fill(fresh);
    await page.getByRole("button", { name: "Change it" }).click();
    await page.getByRole("heading", { name: "Alerts" }).waitFor();
    check(true, "the one-time password opens the page after it was changed");
}

/* --- what the page shows ------------------------------------------------------------------------ */

async function figures(page) {
    await page.locator(".tile", { hasText: "Plugins" }).locator(".tile-value", { hasText: "/" }).waitFor();
    await page.locator(".connection.is-live").waitFor();
    check(true, "figures and the stream are live");
    await page.getByRole("button", { name: /Dropped/ }).click();
    await page.getByRole("heading", { name: "What was lost, and why" }).waitFor();
    await page.getByText(/account/).first().waitFor();
    check(true, "drops open in place");
    await page.getByRole("button", { name: /Dropped/ }).click();
}

async function arrives(page) {
    await page.waitForTimeout(1500);
    const before = await inbox(page).count();

    await want("attack");
    await page.waitForFunction((n) => document.querySelectorAll(".alert-head").length > n, before);
    check(true, "an alert arrives live");
    await page.waitForFunction(() => /alert/.test(document.querySelector("[role=log]").textContent));
    check(true, "and is said to a screen reader");
}

/* With the keyboard alone: the way past the bar, to the alert, in and out. */
async function why(page) {
    await page.reload();
    await inbox(page).first().waitFor();
    await page.keyboard.press("Tab");
    check(await page.evaluate(() => document.activeElement.className) === "skip",
        "the first Tab offers the way to the alerts");
    await page.keyboard.press("Enter");
    await page.evaluate(() => document.querySelector(".alert-head").focus());
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    for (let i = 0; i < 40 && !/UNION SELECT/.test(await page.evaluate(() => document.activeElement.textContent)); i++)
        await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    const part = page.locator(".why");

    await part.waitFor();
    const text = await part.textContent();

    check(/alert http/.test(text) && /sid:\d+/.test(text), "why: the text of the rule", text);
    check(/in http\.uri/.test(text) && /offset \d+, \d+ bytes/.test(text), "why: the buffer, the offset, the length", text);
    check(/0000 {2}55 4e 49 4f 4e/.test(text), "why: the bytes", text);
    check(/198\.51\.100\.7/.test(text) && /10\.66\.0\.10/.test(text), "why: both ends of the flow", text);
    if (process.env.EC_COUNTRY)
        check(text.includes(process.env.EC_COUNTRY), "why: the country", text);
}

/* The attack's address has markup and a control character. */
async function hostile(page) {
    const text = await page.locator(".why").textContent();

    check(text.includes("<img/src=x/onerror=document.title=1>"), "text from the network is text", text);
    check(/\\x1b\[31m/.test(text) && !text.includes("\u001b"), "a control character is spelt", text);
    check(await page.locator(".why img").count() === 0 && await page.title() === "eCyber", "never markup");
}

/* A scan raises an alert of the trained model, whose score is explained. */
async function score(page) {
    await want("scan");
    await inbox(page).filter({ hasText: /^medium.*Model / }).first().click();
    await page.locator(".why .parts tbody tr").first().waitFor();
    const text = await page.locator(".why").textContent();

    check(/suspicious from 0\.\d+ on/.test(text), "a score is shown with its threshold", text);
    check(await page.locator(".why .part rect").count() > 2, "and what it is made of, as bars", text);
    check(/log-odds of [+-]\d/.test(text), "which add up to its log-odds", text);
    await page.locator(".alert-head[aria-expanded=true]").click();
}

/* --- what people make of an alert ----------------------------------------------------------------- */

/* With a key in the list, with a button and a note in its why, seen by another browser at once. */
async function triage(browser, page) {
    const other = await visit(browser, base, { width: 1280, scheme: "light" });
    const head = page.locator(".alert-head", { hasText: /SELECT/ }).first();

    await logIn(other, base, "admin", fresh);
    await inbox(other).first().waitFor();
    await other.locator(".connection.is-live").waitFor();
    await head.focus();
    await page.keyboard.press("a");
    await page.getByText(/ is acknowledged\./).waitFor();
    check(await head.locator(".state-acknowledged").count() === 1, "a key acknowledges an alert in the list");
    await other.locator(".state-acknowledged").first().waitFor();
    check(true, "another browser sees it at once");
    await page.locator(".notice").getByRole("button", { name: "Undo" }).click();
    await page.getByText(/ is open again\./).waitFor();
    check(await head.locator(".state").count() === 0, "undo opens it again");
    await head.click();
    await page.getByPlaceholder("Note").fill("tested <b>here</b>");
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await page.locator(".state-note", { hasText: "tested <b>here</b>" }).waitFor();
    check(/Closed by admin/.test(await page.locator(".why-side").textContent()), "its why shows state, who and note");
    await head.click();
    await page.getByLabel("State of the alerts").selectOption("closed");
    await page.waitForFunction(() => document.querySelectorAll(".alert-head").length === 1);
    check(await page.locator(".state-closed").count() === 1, "closed alerts are listed by themselves");
    await page.getByLabel("State of the alerts").selectOption("open");
    await page.waitForFunction(() => document.querySelectorAll(".alert-head").length > 1 &&
        !document.querySelector(".state"));
    check(true, "and stand no longer among the open ones");
    await other.context().close();
}

/* The chart of a page that was just opened knows the alerts from before. */
async function recalled(page) {
    const asked = page.waitForResponse((r) => r.url().includes("/api/ids/alerts/histogram"));

    await page.reload();
    const bars = (await (await asked).json()).items;

    check(bars.length >= 60 && bars.reduce((sum, b) => sum + b.count, 0) > 0, "the chart asks for the minutes before", bars.length);
    await page.waitForFunction(() => document.querySelector(".canvas canvas"));
    await inbox(page).first().waitFor();
}

/* Grouped by rule; one group alone; all again. */
async function groups(page) {
    await page.getByLabel("Group the alerts").selectOption("sid");
    const group = page.locator(".group", { hasText: /SELECT/ }).first();

    await group.waitFor();
    const n = Number((await group.locator(".number").textContent()).replace(/\D/g, ""));

    check(n > 0, "alerts are counted by rule", n);
    await fits(page, "groups");
    await group.click();
    await page.locator(".chip", { hasText: "Rule: " }).waitFor();
    await page.waitForFunction(() => document.querySelector(".signature") &&
        [...document.querySelectorAll(".signature")].every((e) => /SELECT/.test(e.textContent)));
    check(true, "a group is shown alone");
    await page.locator(".chip").click();
    await page.waitForFunction(() => [...document.querySelectorAll(".signature")].some((e) => !/SELECT/.test(e.textContent)));
    check(await page.locator(".chip").count() === 0, "and all again");
}

/* --- blocking ------------------------------------------------------------------------------------ */

async function block(page) {
    check(await want("probe") === "open", "before, the attacker gets through");
    await page.getByRole("button", { name: /^Block 198\.51\.100\.7…/ }).click();
    check(await page.getByText(/Its packets are dropped until/).isVisible(), "a step says what will happen, until when");
    await page.getByRole("button", { name: "Block 198.51.100.7", exact: true }).click();
    await page.getByText(/198\.51\.100\.7 is blocked until/).waitFor();
    check(await want("probe") === "shut", "one click stops the attacker's next packet");
    await page.locator(".notice").getByRole("button", { name: "Undo" }).click();
    await page.getByText("198.51.100.7 is no longer blocked.").waitFor();
    check(await want("probe") === "open", "undo lets it through");
}

/* Who may only look is offered nothing else. */
async function viewer(browser, admin) {
    const made = await admin.evaluate(async (password) => {
        const { token } = JSON.parse(sessionStorage.getItem("ecyber.session"));
        const reply = await fetch("/api/users", {
            method: "POST",
            headers: { "Authorization": `Bearer ${token}`, "Content-Type": "application/json" },
            body: JSON.stringify({ username: "looker", password, roles: ["viewer"], must_change: false }),
        });

        return `${reply.status} ${await reply.text()}`;
    }, fresh);
    const page = await visit(browser, base, { width: 1280, scheme: "dark" });

    await logIn(page, base, "looker", fresh);
    await inbox(page).first().click();
    await page.locator(".why .facts").waitFor();
    await page.locator(".who", { hasText: "viewer" }).waitFor();
    check(await page.getByRole("button", { name: /^Block / }).count() === 0, "a viewer is offered no block", made);
    check(await page.locator(".triage").count() === 0, "and no change of an alert's state");
    await page.context().close();
}

async function noFirewall(page) {
    check(await page.locator(".no-firewall").count() === 1, "without a firewall the page says so in place");
}

/* --- accounts -------------------------------------------------------------------------------------- */

/* A code of an app (RFC 6238) by nothing but node. */
function codeOf(secret, steps = 0) {
    const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
    const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
    const moving = Buffer.alloc(8);

    moving.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps));
    const mac = createHmac("sha1", key).update(moving).digest();

    return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).padStart(6, "0");
}

/* A token that has run out is made anew, by one request, and nobody is asked for a password. */
async function refreshed(browser) {
    const page = await visit(browser, base, { width: 1280, scheme: "light" });
    let asked = 0;

    page.on("request", (r) => { asked += r.url().endsWith("/api/auth/refresh"); });
    await logIn(page, base, "admin", fresh);
    await inbox(page).first().waitFor();
    await page.evaluate(() => {
        const kept = JSON.parse(sessionStorage.getItem("ecyber.session"));

        sessionStorage.setItem("ecyber.session", JSON.stringify({ ...kept, token: "x.y.z" }));
    });
    await page.reload();
    await inbox(page).first().waitFor();
    await page.locator(".connection.is-live").waitFor();
    check(asked === 1, "a token that has run out is made anew, once for all who ask", asked);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("button", { name: "Log in" }).waitFor();
    check(await page.evaluate(() => sessionStorage.getItem("ecyber.session")) === null, "logging out forgets it");
    await page.context().close();
}

async function secondFactor(browser) {
    const page = await visit(browser, base, { width: 1280, scheme: "light" });
    const open = () => page.getByRole("button", { name: "Second factor" }).click();

    await logIn(page, base, "looker", fresh);
    await inbox(page).first().waitFor();
    await open();
    await page.getByLabel("Password").fill(fresh);
    await page.getByRole("button", { name: "Go on" }).click();
    const secret = await page.locator("code.codes").textContent();
    const link = await page.getByRole("link", { name: /Open it in an app/ }).getAttribute("href");

    check(/^[A-Z2-7]{32}$/.test(secret) && link.startsWith(`otpauth://totp/eCyber:looker?secret=${secret}`),
        "a secret for an app, and the address for one on this device", link);
    await fits(page, "second factor");
    await page.getByLabel("Code").fill(codeOf(secret, -1));
    await page.getByRole("button", { name: "Turn it on" }).click();
    await page.getByRole("heading", { name: "Recovery codes" }).waitFor();
    const codes = (await page.locator("pre.codes").textContent()).split("\n");

    check(codes.length === 10 && codes.every((c) => /^[a-z2-9-]{23}$/.test(c)), "ten recovery codes, this once", codes.join());
    await page.getByRole("button", { name: "I have kept them" }).click();
    await inbox(page).first().waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("User").fill("looker");
    await page.getByLabel("Password").fill(fresh);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByLabel("Code").fill(codeOf(secret));
    await page.getByRole("button", { name: "Log in" }).click();
    await inbox(page).first().waitFor();
    check(true, "the next log-in asks for a code");
    await page.locator(".who", { hasText: "looker" }).waitFor();
    await open();
    await page.getByLabel("Password").fill(fresh);
    await page.getByLabel("Code").fill(codes[0]);
    await page.getByRole("button", { name: "Turn it off" }).click();
    await inbox(page).first().waitFor();
    check(true, "and it is turned off again");
    await page.context().close();
}

async function accounts(browser) {
    const page = await visit(browser, base, { width: 360, scheme: "dark" });

    await page.goto(base);
    await page.getByRole("button", { name: "Make an account" }).click();
    await fits(page, "registration");
    await page.getByLabel("User").fill("newcomer");
    await page.getByLabel("E-mail address").fill("newcomer@example.org");
    await page.getByLabel("Password").fill(fresh);
    await page.getByRole("button", { name: "Make it" }).click();
    await page.getByText("An administrator has to let you in.").waitFor();
    check(true, "who makes an account waits for an administrator");
    await page.getByRole("button", { name: "Back to the log-in" }).click();
    await page.getByRole("button", { name: "Forgot the password?" }).click();
    await page.getByLabel("E-mail address").fill("nobody@example.org");
    await page.getByRole("button", { name: "Send me a letter" }).click();
    await page.getByText("If an account has this e-mail address").waitFor();
    check(true, "who forgot the password is told what comes");
    await page.goto("about:blank");
    await page.goto(`${base}#reset=ecp_1_${"0".repeat(64)}`);
    await page.getByRole("heading", { name: "Choose a password" }).waitFor();
    check(!page.url().includes("ecp_"), "the address forgets the token of a letter", page.url());
    await page.getByLabel("New password", { exact: true }).fill(fresh);
    await page.getByLabel("New password, once more").fill(fresh);
    await page.getByRole("button", { name: "Change it" }).click();
    await page.getByText("Invalid or expired password reset token.").waitFor();
    check(true, "a token that is none is refused in words");
    await page.getByRole("button", { name: "Leave it as it is" }).click();
    await page.getByRole("button", { name: "Log in" }).waitFor();
    await page.context().close();
}

/* --- sizes, colours, states ----------------------------------------------------------------------- */

async function look(browser, width, scheme) {
    const page = await visit(browser, base, { width, scheme });
    const what = `${width} px, ${scheme}`;

    await logIn(page, base, "admin", fresh);
    await inbox(page).first().waitFor();
    await page.waitForTimeout(1500);
    const ground = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

    check((scheme === "dark") === /rgb\((\d|[1-4]\d), /.test(ground), `${what}: the colours follow the system`, ground);
    await inbox(page).first().click();
    await page.locator(".why").waitFor();
    await fits(page, what);
    check(page.complaints.length === 0, `${what}: no error in the console`, page.complaints.join("\n"));
    check(page.elsewhere.length === 0, `${what}: no request elsewhere`, page.elsewhere.join("\n"));
    await page.context().close();
}

async function motion(page) {
    const longest = await page.evaluate(() => Math.max(...[...document.querySelectorAll("button, select")]
        .flatMap((e) => getComputedStyle(e).transitionDuration.split(",").map(parseFloat))));

    check(longest === 0, "reduced motion: nothing moves", longest);
}

async function states(browser) {
    const page = await visit(browser, base, { width: 1280, scheme: "dark" });

    await logIn(page, base, "admin", fresh);
    await inbox(page).first().waitFor();
    await page.getByLabel("Words that stand in the alert").fill("nothinghasthisword");
    await page.getByText("No alert fits this filter.").waitFor();
    await page.getByRole("button", { name: "Show all" }).click();
    await inbox(page).first().waitFor();
    check(true, "a filter that nothing fits says so, and goes");
    for (const [name, wanted] of [["system", "light"], ["light", "dark"], ["dark", undefined]]) {
        await page.getByRole("button", { name: `Colours: ${name}` }).click();
        const theme = await page.evaluate(() => document.documentElement.dataset.theme);

        check(theme === wanted, `colours go on from ${name}`, theme);
    }
    await page.context().setOffline(true);
    await page.locator(".banner", { hasText: "The daemon does not answer" }).waitFor();
    await page.context().setOffline(false);
    await page.locator(".banner").waitFor({ state: "hidden" });
    await inbox(page).first().waitFor();
    check(true, "offline is said, and ends by itself");
    await page.evaluate(() => sessionStorage.setItem("ecyber.session", '{"token":"x.y.z"}'));
    await page.reload();
    await page.getByText("Your session has ended. Log in again.").waitFor();
    check(true, "a session that has ended leads to the log-in, in words");
    await page.context().close();
}

/* What an administrator sets by the API shows in the page of everybody. */
async function settings(browser) {
    const page = await visit(browser, base, { width: 1280, scheme: "light" });
    const put = (name, value) => page.evaluate(async ([path, body]) => {
        const { token } = JSON.parse(sessionStorage.getItem("ecyber.session"));
        const reply = await fetch(path, {
            method: "PUT",
            headers: { "Authorization": `Bearer ${token}`, "Content-Type": "application/json" },
            body: JSON.stringify(body),
        });

        return reply.status;
    }, [`/api/settings/${name}`, { value }]);

    await page.clock.install();
    await logIn(page, base, "admin", fresh);
    await inbox(page).first().waitFor();
    check(await put("system_name", "Site <b>North</b>") === 200 && await put("session_timeout", 2) === 200,
        "an administrator changes settings");
    await page.reload();
    await page.getByRole("heading", { name: "Site <b>North</b>" }).waitFor();
    check(await page.title() === "Site <b>North</b>", "the page shows the system's name", await page.title());
    await inbox(page).first().waitFor();
    await page.clock.fastForward(100000);
    await page.keyboard.press("Tab");
    await page.clock.fastForward(100000);
    check(await inbox(page).count() > 0, "who uses the page stays");
    await page.clock.fastForward(130000);
    await page.getByText("Nobody used this page for 2 minutes. Log in again.").waitFor();
    check(await page.evaluate(() => sessionStorage.getItem("ecyber.session")) === null, "who does not is logged out");
    await page.context().close();
}

async function documentation(browser) {
    const page = await visit(browser, base, { width: 1280, scheme: "light" });

    await page.goto(new URL("/api/docs", base).href);
    await page.locator(".opblock").first().waitFor({ timeout: 40000 });
    const routes = await page.locator(".opblock").count();

    check(routes > 5, "/api/docs lists the routes", routes);
    check(page.complaints.length === 0 && page.elsewhere.length === 0, "/api/docs: no complaint, no request elsewhere",
        [...page.complaints, ...page.elsewhere].join("\n"));
    await page.goto(new URL("/api/redoc", base).href);
    await page.getByRole("heading", { name: "eCyber" }).first().waitFor({ timeout: 40000 });
    check(await page.locator("[id^='tag/'][id*='/operation/']").count() > 5, "/api/redoc shows the routes");
    check(page.complaints.length === 0 && page.elsewhere.length === 0, "/api/redoc: no complaint, no request elsewhere",
        [...page.complaints, ...page.elsewhere].join("\n"));
    await page.context().close();
}

/* The one of the README: a minute of traffic, and an alert with its why. */
async function picture(page) {
    if (!process.env.EC_PICTURE)
        return;
    writeFileSync(join(folder, "picture"), "");
    await page.waitForTimeout(65000);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByLabel("Words that stand in the alert").fill("sqlmap");
    await page.waitForFunction(() => [...document.querySelectorAll(".signature")].every((e) => /sqlmap/i.test(e.textContent)));
    await page.locator(".alert-head").first().click();
    await page.locator(".why").waitFor();
    await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
    await page.mouse.move(0, 0);
    await page.screenshot({ path: process.env.EC_PICTURE });
}

const browser = await launch();

try {
    await wrongPassword(browser);
    const page = await visit(browser, base, { width: 1280, scheme: "dark" });

    await firstTime(page);
    await figures(page);
    await arrives(page);
    await why(page);
    await hostile(page);
    await motion(page);
    await (firewall ? block(page) : noFirewall(page));
    await score(page);
    await triage(browser, page);
    await groups(page);
    await recalled(page);
    await viewer(browser, page);
    await picture(page);
    check(page.complaints.length === 0, "no error in the console", page.complaints.join("\n"));
    check(page.elsewhere.length === 0, "no request elsewhere", page.elsewhere.join("\n"));
    for (const width of [360, 1280])
        for (const scheme of ["dark", "light"])
            await look(browser, width, scheme);
    await refreshed(browser);
    await secondFactor(browser);
    await accounts(browser);
    await states(browser);
    await settings(browser);
    await documentation(browser);
} catch (error) {
    for (const page of browser.contexts().flatMap((c) => c.pages()))
        await page.screenshot({ path: join(folder, "failed.png") }).catch(() => {});
    check(false, "the page goes on as it should", error.stack);
} finally {
    await browser.close();
}
process.exit(failed ? 1 : 0);
