/* What the page asks of an event. Names are EVE's; what is eCyber's own stands under `ecyber`. */

export const severities = { 1: "high", 2: "medium", 3: "low" };

export function severity(event) {
    const n = event.alert?.severity;

    return n >= 1 && n <= 3 ? n : 3;
}

/* The ISO code of the country of one side ("src", "dest"); "": unknown. */
export function country(event, side) {
    const code = event.ecyber?.geoip?.[side === "src" ? "src" : "dst"]?.country ?? "";

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

/* The side that began the conversation is who attacks; a rule on the reply names the other one as source. */
export function attacker(event) {
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

/* A score's explanation in one shape: {model, score, threshold, rows: [{name, value, part}]}, largest first; null: none. */
export function scoreOf(event) {
    const s = event.score ?? event.ecyber?.score;

    if (!s)
        return null;
    return {
        model: s.model ?? "",
        score: s.score ?? s.value,
        threshold: s.threshold,
        rows: (s.contributions ?? s.top ?? [])
            .map((c) => ({ name: c.feature ?? c.name ?? "", value: c.value, part: c.contribution ?? 0 }))
            .sort((a, b) => Math.abs(b.part) - Math.abs(a.part)),
    };
}
