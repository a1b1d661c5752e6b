/* Asks the daemon. One place for the token, for what went wrong, and for a session that has ended. */
import { signal } from "@preact/signals";
import { parse } from "./json.js";

const KEY = "ecyber.session";

export class Trouble extends Error {
    /* status: of HTTP; 0: the daemon did not answer. */
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

function kept() {
    try {
        return JSON.parse(sessionStorage.getItem(KEY));
    } catch {
        return null;
    }
}

export const session = signal(kept());      /* {token, mustChange, refresh}, null: nobody has logged in */
export const ended = signal("");            /* why the log-in is shown again */
export const reachable = signal(true);      /* did the daemon answer the last time? */

function keep(tokens) {
    session.value = tokens;
    try {
        if (tokens)
            sessionStorage.setItem(KEY, JSON.stringify(tokens));
        else
            sessionStorage.removeItem(KEY);
    } catch {
        /* a browser that keeps nothing: the token stays in memory */
    }
}

function sentence(status, answer) {
    const detail = answer?.detail;

    if (typeof detail === "string")
        return detail;
    if (Array.isArray(detail) && detail.length)
        return detail.map((d) => `${d.loc?.at(-1) ?? "request"}: ${d.msg}`).join("; ");
    return `The daemon answered ${status}.`;
}

async function send(method, path, { body, form, signal: abort, token, match } = {}) {
    const headers = { Accept: "application/json" };
    let reply;

    if (token)
        headers.Authorization = `Bearer ${token}`;
    if (body !== undefined)
        headers["Content-Type"] = "application/json";
    if (match)
        headers["If-Match"] = match;
    try {
        reply = await fetch(path, {
            method,
            headers,
            body: form ? new URLSearchParams(form) : body === undefined ? undefined : JSON.stringify(body),
            signal: abort,
            cache: "no-store",
            credentials: "omit",
        });
        reachable.value = true;
    } catch (error) {
        if (error.name === "AbortError")
            throw error;
        reachable.value = false;
        throw new Trouble(0, "The daemon does not answer.");
    }
    return reply;
}

async function read(reply) {
    const text = await reply.text();
    let answer = null;

    try {
        answer = text ? parse(text) : null;
    } catch {
        answer = { detail: "The answer is not JSON." };
    }
    if (!reply.ok)
        throw new Trouble(reply.status, sentence(reply.status, answer));
    return answer;
}

function take(answer) {
    ended.value = "";
    keep({ token: answer.access_token, mustChange: answer.must_change === true, refresh: answer.refresh_token });
}

let turning = null;

async function turn(refresh) {
    const reply = await send("POST", "/api/auth/refresh", { body: { refresh_token: refresh } });

    if (reply.status === 401)
        return false;
    take(await read(reply));
    return true;
}

/* Another token for one that has run out: all who need it wait for one request, as a refresh token is good for one time.
 * Returns whether there is one. */
function turned(used) {
    const { token, refresh } = session.value ?? {};

    if (token && token !== used)
        return true;
    if (!refresh)
        return false;
    turning ??= turn(refresh).finally(() => { turning = null; });
    return turning;
}

/* The reply to a request with the token. */
export async function open(method, path, options = {}) {
    const used = session.value?.token;
    const reply = await send(method, path, { ...options, token: used });

    if (reply.status !== 401 || !used)
        return reply;
    if (await turned(used))
        return send(method, path, { ...options, token: session.value?.token });
    if (used === session.value?.token)
        leave("Your session has ended. Log in again.");
    return reply;
}

export async function ask(path, options) {
    return read(await open("GET", path, options));
}

/* match: the version that it has to have, as an ETag. */
export async function tell(method, path, body, match) {
    return read(await open(method, path, { body, match }));
}

/* Without a token, whoever asks. */
export async function tellAnybody(method, path, body) {
    return read(await send(method, path, { body }));
}

/* code: of the second factor, where it was asked for. Returns whether it is. */
export async function login(username, password, code) {
    const form = { grant_type: "password", username, password, ...(code ? { code } : {}) };
    const answer = await read(await send("POST", "/api/auth/login", { form }));

    if (answer.two_factor_required)
        return true;
    take(answer);
    return false;
}

/* The tokens that there were end with the old password; a new one comes back. */
export async function changePassword(current, fresh) {
    take(await tell("POST", "/api/auth/change-password", { current_password: current, new_password: fresh }));
}

/* The daemon forgets the session as well, as soon as it hears of it. */
export function logOut() {
    const token = session.value?.token;

    leave();
    if (token)
        send("POST", "/api/auth/logout", { token }).catch(() => {});
}

export function leave(why = "") {
    ended.value = why;
    keep(null);
}
