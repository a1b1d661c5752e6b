/* Text for people. What came from the network is shown as it is written, never obeyed: characters that have no form of
 * their own, or that would turn the order of others around, are spelt out. */

const hidden = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

function spelt(c) {
    const code = c.charCodeAt(0);

    return code < 0x100 ? "\\x" + code.toString(16).padStart(2, "0") : "\\u" + code.toString(16).padStart(4, "0");
}

/* Any value as text: "" for what is absent. */
export function safe(value) {
    return value === undefined || value === null ? "" : String(value).replace(hidden, spelt);
}

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

export function count(n) {
    return grouped.format(n);
}

/* Two or three digits: "0", "0.4", "12", "1.2K". */
export function rate(n) {
    return n > 0 && n < 10 ? n.toFixed(1).replace(/\.0$/, "") : short.format(n);
}

export function plural(n, one, many = one + "s") {
    return `${count(n)} ${n === 1 ? one : many}`;
}

export function bytes(n) {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let i = 0;

    for (; n >= 1024 && i < units.length - 1; i++)
        n /= 1024;
    return `${i && n < 10 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

const two = (n) => String(n).padStart(2, "0");

/* EVE's "2026-11-22T15:30:57.978431+0000" as milliseconds; NaN: no time. */
export function moment(timestamp) {
    return Date.parse(String(timestamp ?? "").replace(/(\.\d{3})\d*/, "$1").replace(/([+-]\d\d)(\d\d)$/, "$1:$2"));
}

export function clock(ms) {
    const t = new Date(ms);

    return Number.isNaN(ms) ? "?" : `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
}

export function day(ms) {
    const t = new Date(ms);

    return Number.isNaN(ms) ? "?" : `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;
}

/* The time, with the day where it is not today. */
export function when(ms) {
    return day(ms) === day(Date.now()) ? clock(ms) : `${day(ms)} ${clock(ms)}`;
}

export function span(seconds) {
    const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
    const first = parts.findIndex(([size]) => seconds >= size);

    if (first < 0)
        return "0 s";
    return parts.slice(first, first + 2)
        .map(([size, unit], i) => [Math.floor(i ? (seconds % parts[first][0]) / size : seconds / size), unit])
        .filter(([n]) => n)
        .map(([n, unit]) => `${n} ${unit}`)
        .join(" ");
}

/* "198.51.100.7:80", "[2001:db8::1]:80" */
export function endpoint(ip, port) {
    const host = safe(ip).includes(":") ? `[${safe(ip)}]` : safe(ip);

    return port === undefined ? safe(ip) : `${host}:${port}`;
}

export function fromHex(text) {
    return Uint8Array.from(String(text ?? "").match(/[0-9a-f]{2}/gi) ?? [], (pair) => parseInt(pair, 16));
}

export function fromBase64(text) {
    try {
        return Uint8Array.from(atob(String(text ?? "")), (c) => c.charCodeAt(0));
    } catch {
        return new Uint8Array();
    }
}

/* Lines of a hex dump: {at, hex, text}, 16 bytes each. */
export function dump(data) {
    const lines = [];

    for (let at = 0; at < data.length; at += 16) {
        const part = [...data.subarray(at, at + 16)];

        lines.push({
            at: at.toString(16).padStart(4, "0"),
            hex: part.map((b) => b.toString(16).padStart(2, "0")).join(" "),
            text: part.map((b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : ".")).join(""),
        });
    }
    return lines;
}
