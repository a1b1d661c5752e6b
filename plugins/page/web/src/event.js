/* What the page asks of an event. Names are EVE's; what is eCyber's own stands under `ecyber`. */

export const severities = { 1: "high", 2: "medium", 3: "low" };

export function severity(event) {
    const n = event.alert?.severity;

    return n >= 1 && n <= 3 ? n : 3;
}

/* What is known of where one side ("src", "dest") is: {country, continent, asn, org}. */
export function place(event, side) {
    return event.ecyber?.geoip?.[side === "src" ? "src" : "dst"] ?? {};
}

/* The ISO code of its country; "": unknown. */
export function country(event, side) {
    const code = place(event, side).country ?? "";

    return /^[A-Z]{2}$/.test(code) ? code : "";
}

const names = new Intl.DisplayNames(["en"], { type: "region", fallback: "code" });

export function countryName(code) {
    try {
        return names.of(code);
    } catch {
        return code;
    }
}

/* Who attacks ("src", "dest"): as the alert says it, else the side that began the conversation. */
export function attacker(event) {
    const named = event.alert?.source?.ip;

    if (named)
        return named === event.dest_ip ? "dest" : "src";
    return event.direction === "to_client" ? "dest" : "src";
}

/* The stretches of the rule's text that are worth telling apart: [{kind, text}]. */
export function ruleParts(rule) {
    const parts = [];
    const pattern = /("(?:\\.|[^"\\])*")|([A-Za-z_.]+)(?=:|;)|(\$[A-Z_]+)|([^"$A-Za-z]+|.)/g;

    for (const [text, string, word, variable] of rule.matchAll(pattern)) {
        const kind = string ? "string" : word ? "word" : variable ? "variable" : "plain";

        if (parts.at(-1)?.kind === kind)
            parts.at(-1).text += text;
        else
            parts.push({ kind, text });
    }
    return parts;
}

/* A score's explanation, the largest contribution first; null: there is no score. */
export function scoreOf(event) {
    const s = event.score;

    return s && {
        ...s,
        features: [...(s.features ?? [])].sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution)),
    };
}
