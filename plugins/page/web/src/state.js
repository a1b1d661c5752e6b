/* What the page knows, and how it comes to know it. */
import { batch, signal } from "@preact/signals";
import { ask, session } from "./api.js";
import { follow } from "./live.js";
import { moment } from "./text.js";

const SECONDS = 300;                    /* of the chart */
const RECALL = 5;                       /* seconds of a point before the page was opened */
const ROWS = 500;                       /* alerts kept in the page */
const PAGE = 50;

export const me = signal(null);
export const stats = signal(null);      /* /api/system/stats */
export const statsError = signal("");
export const rates = signal({ packets: null, alerts: null });
export const history = { time: [], packets: [], alerts: [] };
export const beat = signal(0);          /* the history has grown */

export const alerts = signal([]);
export const inbox = signal({ state: "loading", why: "", next: null, more: false });
export const noFilter = { q: "", severity: "", ip: "", status: "", sid: "", src_ip: "", dest_ip: "", src_country: "" };
export const filter = signal({ ...noFilter, status: "open" });
export const paused = signal(false);
export const waiting = signal(0);       /* alerts that came while paused */
export const heard = signal(null);      /* the last alert that came live */

export const plugin = (name) => stats.value?.plugins?.find((p) => p.name === name);

/* --- figures, once a second while somebody looks --------------------------------------------- */

let before = null;

function packetsSeen(s) {
    return (s.packets ?? []).reduce((sum, w) => sum + (w.source?.seen ?? 0), 0);
}

function difference(now, old, seconds) {
    return now === undefined || old === undefined || now < old ? 0 : (now - old) / seconds;
}

function forget() {
    const old = history.time.findIndex((t) => t > Date.now() / 1000 - SECONDS);

    for (const list of Object.values(history))
        list.splice(0, Math.max(old, 0));
}

/* The alerts of the minutes before the page was opened, as the store has them; packets are not kept. */
async function recall() {
    try {
        const { items } = await ask(`/api/ids/alerts/histogram?since=${SECONDS}s&interval=${RECALL}s`);
        const first = history.time[0] ?? Date.now() / 1000;
        const old = items.map((b) => ({ at: moment(b.time) / 1000, alerts: b.count / RECALL })).filter((b) => b.at < first);

        history.time.unshift(...old.map((b) => b.at));
        history.packets.unshift(...old.map(() => null));
        history.alerts.unshift(...old.map((b) => b.alerts));
        beat.value++;
    } catch {
        /* without a store the chart begins now */
    }
}

function remember(s) {
    const now = { at: performance.now(), packets: packetsSeen(s), alerts: s.metrics?.ids?.alerts };
    const seconds = before && (now.at - before.at) / 1000;

    if (seconds > 0.2 && seconds < 30) {
        const rate = {
            packets: difference(now.packets, before.packets, seconds),
            alerts: difference(now.alerts, before.alerts, seconds),
        };

        history.time.push(Date.now() / 1000);
        history.packets.push(rate.packets);
        history.alerts.push(rate.alerts);
        forget();
        rates.value = rate;
        beat.value++;
    }
    before = now;
}

async function figures() {
    try {
        const s = await ask("/api/system/stats");

        batch(() => {
            remember(s);
            stats.value = s;
            statsError.value = "";
        });
    } catch (error) {
        before = null;
        statsError.value = error.message;
    }
}

/* --- the inbox ------------------------------------------------------------------------------- */

/* Open alerts are what comes: only another filter leaves some of those out. */
export function filtered() {
    const { status, ...others } = filter.value;

    return Object.values(others).some(Boolean) || !["", "open"].includes(status);
}

function address(cursor) {
    const query = new URLSearchParams({ limit: PAGE });

    for (const [name, value] of Object.entries(filter.value))
        if (value)
            query.set(name, value);
    if (cursor)
        query.set("cursor", cursor);
    return `/api/ids/alerts?${query}`;
}

let turn = 0;                           /* answers to an older question are of no use */
let fresh = [];                         /* {event, at}: came live, perhaps not stored yet */

/* A page of the store, with what came live and the store did not have yet. */
function merged(items) {
    const known = new Set(items.map((a) => a.id));

    fresh = fresh.filter(({ event, at }) => performance.now() - at < 5000 && !known.has(event.id));
    return filtered() ? items : [...fresh.map(({ event }) => event), ...items];
}

export async function loadAlerts() {
    const mine = ++turn;

    inbox.value = { ...inbox.value, state: alerts.value.length ? "reloading" : "loading" };
    try {
        const page = await ask(address());

        if (mine !== turn)
            return;
        batch(() => {
            alerts.value = merged(page.items);
            waiting.value = 0;
            inbox.value = { state: "ready", why: "", next: page.next_cursor || null, more: false };
        });
    } catch (error) {
        /* without the daemon what was there stays to be read */
        if (mine === turn && error.status === 0 && alerts.value.length)
            inbox.value = { ...inbox.value, state: "ready" };
        else if (mine === turn)
            inbox.value = { state: "error", why: error.message, next: null, more: false };
    }
}

export async function loadOlder() {
    const mine = turn;

    inbox.value = { ...inbox.value, more: true };
    try {
        const page = await ask(address(inbox.value.next));

        if (mine !== turn)
            return;
        const known = new Set(alerts.value.map((a) => a.id));

        batch(() => {
            alerts.value = [...alerts.value, ...page.items.filter((a) => !known.has(a.id))];
            inbox.value = { state: "ready", why: "", next: page.next_cursor || null, more: false };
        });
    } catch (error) {
        if (mine === turn)
            inbox.value = { ...inbox.value, more: false, why: error.message };
    }
}

let soon = 0;

/* The store writes what came in small groups: what needs it is asked a moment later, once. */
function loadSoon() {
    soon ||= setTimeout(() => { soon = 0; loadAlerts(); }, 1500);
}

/* {id, state, …}: an alert has another state. It stays where it stands until the list is loaded again. */
export function restate(change) {
    const changed = (a) => (a.id === change.id && (a.state_version ?? 0) <= change.state_version
        ? { ...a, state_note: undefined, ...change } : a);

    alerts.value = alerts.value.map(changed);
    fresh = fresh.map(({ event, at }) => ({ event: changed(event), at }));
}

/* Somebody, perhaps elsewhere, changed a state. Without a note in it the note is as it was. */
function onChange({ alert_state: c, timestamp }) {
    const { state_note: note } = alerts.value.find((a) => a.id === c.alert_id) ?? {};

    restate({ id: c.alert_id, state: c.state, state_version: c.version, state_note: c.note ?? note, state_by: c.by,
              state_at: timestamp });
}

function onEvent(event) {
    if (event.event_type === "alert_state" && event.alert_state)
        onChange(event);
    if (event.event_type !== "alert")
        return;
    heard.value = event;
    if (paused.value)
        waiting.value++;
    else if (filtered() || event.id === undefined || inbox.value.state !== "ready")
        loadSoon();
    else if (!alerts.value.some((a) => a.id === event.id)) {
        fresh = [{ event, at: performance.now() }, ...fresh].slice(0, ROWS);
        alerts.value = [event, ...alerts.value].slice(0, ROWS);
    }
}

export function setPaused(on) {
    paused.value = on;
    if (!on && waiting.value)
        loadAlerts();
}

/* --- begin and end --------------------------------------------------------------------------- */

/* Ask every period while the page is seen. Returns how to end it. */
export function every(ms, fn) {
    let timer = 0, over = false;

    async function turnOver() {
        if (!document.hidden && session.value)
            await fn();
        if (!over)
            timer = setTimeout(turnOver, ms);
    }
    turnOver();
    return () => { over = true; clearTimeout(timer); };
}

export function begin() {
    const ends = [
        every(1000, figures),
        follow("/api/network/events/stream?types=alert,alert_state", onEvent, loadSoon),
    ];

    loadAlerts();
    for (const list of Object.values(history))
        list.length = 0;
    recall();
    return () => {
        ends.forEach((end) => end());
        turn++;
        clearTimeout(soon);
        soon = 0;
        before = null;
        fresh = [];
        batch(() => {
            alerts.value = [];
            stats.value = null;
            rates.value = { packets: null, alerts: null };
            inbox.value = { state: "loading", why: "", next: null, more: false };
        });
    };
}
