/* The stream of events. EventSource cannot send a token in a header, so this reads the same format with fetch. */
import { signal } from "@preact/signals";
import { open, session } from "./api.js";
import { parse } from "./json.js";

export const stream = signal("off");    /* off, opening, live, waiting */

/* One block of lines: {event, data, id}. */
function block(text) {
    const message = { event: "message", data: [], id: null };

    for (const line of text.split("\n")) {
        const colon = line.indexOf(":");
        const name = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");

        if (name === "data")
            message.data.push(value);
        else if (name === "event" || name === "id")
            message[name] = value;
    }
    return message;
}

async function consume(body, onMessage) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";

    for (;;) {
        const { value, done } = await reader.read();

        if (done)
            return;
        rest = (rest + value).replace(/\r\n?/g, "\n");
        const parts = rest.split("\n\n");

        rest = parts.pop();
        for (const part of parts)
            onMessage(block(part));
    }
}

const pause = (ms, abort) => new Promise((done) => {
    const timer = setTimeout(done, ms);

    abort.addEventListener("abort", () => { clearTimeout(timer); done(); }, { once: true });
});

/* Follow path until the returned function is called; onEvent(event), onGap() where some may have been missed: at
 * the beginning as well. */
export function follow(path, onEvent, onGap) {
    const stop = new AbortController();
    let wait = 1000, begun = false;

    function take(message) {
        if (message.event === "gap")
            return onGap();
        if (!message.data.length)
            return undefined;
        try {
            return onEvent({ id: message.id ?? undefined, ...parse(message.data.join("\n")) });
        } catch {
            return undefined;   /* one message that is no JSON does not end the stream */
        }
    }

    (async () => {
        while (!stop.signal.aborted && session.value) {
            stream.value = begun ? "waiting" : "opening";
            try {
                const reply = await open("GET", path, { signal: stop.signal });

                if (reply.ok) {
                    stream.value = "live";
                    wait = 1000;
                    begun = true;
                    onGap();
                    await consume(reply.body, take);
                } else {
                    await reply.body?.cancel();
                }
            } catch {
                /* the state of the connection is shown; the next attempt follows */
            }
            if (!stop.signal.aborted)
                stream.value = "waiting";
            await pause(wait, stop.signal);
            wait = Math.min(wait * 2, 15000);
        }
        stream.value = "off";
    })();
    return () => stop.abort();
}
