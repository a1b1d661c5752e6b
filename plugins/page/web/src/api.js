/* Asks the daemon. One place for the token, for what went wrong, and for a session that has ended. */
import { signal } from "@preact/signals";

const KEY = "ecyber.session";

export class Trouble extends Error {
    /* status: of HTTP; 0: the daemon did not answer. fields: {name: sentence} of a refused form. */
    constructor(status, message, fields = {}) {
        super(message);
        this.status = status;
        this.fields = fields;
    }
}

function kept() {
    try {
        return JSON.parse(sessionStorage.getItem(KEY));
    } catch {
        return null;
    }
}

export const session = signal(kept());      /* {access, refresh}, null: nobody has logged in */
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

/* Ids of events have 63 bits, more than a number of JavaScript holds: they stay text. */
export function parse(text) {
    return JSON.parse(text.replace(/"id":\s*(\d{15,})(?=[,}\s])/g, '"id":"$1"'));
}

function sentence(status, answer) {
    const detail = answer?.detail;

    if (typeof detail === "string")
        return detail;
    if (Array.isArray(detail) && detail.length)
        return detail.map((d) => `${d.loc?.at(-1) ?? "request"}: ${d.msg}`).join("; ");
    return `The daemon answered ${status}.`;
}

function fields(answer) {
    const list = Array.isArray(answer?.detail) ? answer.detail : [];

    return Object.fromEntries(list.map((d) => [d.loc?.at(-1), d.msg]));
}

async function send(method, path, { body, form, signal: abort, token } = {}) {
    const headers = { Accept: "application/json" };
    let reply;

    if (token)
        headers.Authorization = `Bearer ${token}`;
    if (body !== undefined)
        headers["Content-Type"] = "application/json";
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
        throw new Trouble(reply.status, sentence(reply.status, answer), fields(answer));
    return answer;
}

let renewing = null;

/* Once for all who wait: a refresh token is good for one use. false: the session has ended. */
function renew() {
    renewing ??= (async () => {
        const refresh = session.value?.refresh;

        try {
            if (!refresh)
                return false;
            const answer = await read(await send("POST", "/api/auth/refresh", { body: { refresh_token: refresh } }));

            keep({ access: answer.access_token, refresh: answer.refresh_token });
            return true;
        } catch (error) {
            if (error.status === 0)
                throw error;
            return false;
        } finally {
            renewing = null;
        }
    })();
    return renewing;
}

/* The reply to a request with the token, renewed once where it has run out. */
export async function open(method, path, options = {}) {
    const used = session.value?.access;
    let reply = await send(method, path, { ...options, token: used });

    if (reply.status === 401 && used) {
        if (session.value?.access !== used || (await renew()))
            reply = await send(method, path, { ...options, token: session.value?.access });
        if (reply.status === 401)
            leave("Your session has ended. Log in again.");
    }
    return reply;
}

export async function ask(path, options) {
    return read(await open("GET", path, options));
}

export async function tell(method, path, body) {
    return read(await open(method, path, { body }));
}

export async function login(username, password) {
    const form = { grant_type: "password", username, password };
    const answer = await read(await send("POST", "/api/auth/login", { form }));

    ended.value = "";
    keep({ access: answer.access_token, refresh: answer.refresh_token });
    return answer;
}

export function leave(why = "") {
    ended.value = why;
    keep(null);
}

export async function logout() {
    try {
        await tell("POST", "/api/auth/logout", session.value?.refresh ? { refresh_token: session.value.refresh } : {});
    } catch {
        /* the token is forgotten here in any case */
    }
    leave();
}
