import { computed, signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ask, logOut, reachable, session } from "./api.js";
import { Blocks, loadBlocks } from "./blocks.jsx";
import { Chart } from "./chart.jsx";
import { SecondFactor } from "./factor.jsx";
import { Inbox } from "./inbox.jsx";
import { stream } from "./live.js";
import { NewPassword } from "./login.jsx";
import { Notice } from "./notice.jsx";
import { Plugins } from "./plugins.jsx";
import { Gate, ResetPassword, resetToken } from "./recover.jsx";
import { loadSettings, systemName, watchUse } from "./settings.js";
import { begin, every, heard, me, statsError } from "./state.js";
import { Strip } from "./strip.jsx";
import { safe } from "./text.js";
import { theme, themes } from "./theme.js";
import { Top } from "./top.jsx";

const loggedIn = computed(() => session.value !== null);
const passwordAsked = signal(false);
const factorAsked = signal(false);

function Connection() {
    const state = !reachable.value ? "offline" : statsError.value ? "trouble" : stream.value;
    const words = {
        live: "Live", opening: "Connecting", waiting: "Reconnecting", off: "Connecting", offline: "Offline",
        trouble: "Trouble",
    };

    return <span class={`connection is-${state}`}>{words[state]}</span>;
}

function ThemeButton() {
    const next = themes[(themes.indexOf(theme.value) + 1) % themes.length];

    return (
        <button type="button" class="quiet" onClick={() => { theme.value = next; }}
                aria-label={`Colours: ${theme.value}. Change to ${next}`}>
            {{ system: "Auto", light: "Light", dark: "Dark" }[theme.value]}
        </button>
    );
}

function Bar() {
    return (
        <header class="bar">
            <h1><img src="/icon.svg" alt="" width="22" height="22" />{systemName.value}</h1>
            <Connection />
            <span class="space" />
            {me.value && (
                <span class="who">{safe(me.value.username)} <span class="soft">{safe(me.value.roles)}</span></span>
            )}
            <a class="quiet wide-only" href="/api/docs">API</a>
            <ThemeButton />
            <button type="button" class="quiet wide-only" onClick={() => { passwordAsked.value = true; }}>
                Password
            </button>
            <button type="button" class="quiet wide-only" onClick={() => { factorAsked.value = true; }}>
                Second factor
            </button>
            <button type="button" class="quiet" onClick={() => logOut()}>Log out</button>
        </header>
    );
}

/* What a screen reader is told: the newest alert, and at most one in five seconds. */
function Voice() {
    const said = useSignal("");

    useEffect(() => {
        let last = 0, skipped = 0;

        return heard.subscribe((event) => {
            if (!event)
                return;
            if (Date.now() - last < 5000) {
                skipped++;
                return;
            }
            last = Date.now();
            said.value = `New alert: ${safe(event.alert?.signature)}${skipped ? `, and ${skipped} more` : ""}`;
            skipped = 0;
        });
    }, []);
    return <div class="hidden" role="log" aria-live="polite">{said}</div>;
}

function Trouble() {
    const why = !reachable.value
        ? "The daemon does not answer. The page shows what it knew, and goes on asking."
        : statsError.value;

    return why ? <div class="banner" role="alert">{safe(why)}</div> : null;
}

async function whoAmI() {
    try {
        const answer = await ask("/api/auth/me");

        me.value = { ...answer, roles: [answer.roles ?? []].flat().join(", ") };
    } catch {
        me.value = null;
    }
}

function Page() {
    useEffect(() => {
        const ends = [begin(), watchUse(), every(60000, loadSettings)];

        whoAmI();
        loadBlocks();
        return () => ends.forEach((end) => end());
    }, []);
    return (
        <>
            <a class="skip" href="#alerts">Skip to the alerts</a>
            <Bar />
            <Trouble />
            <main>
                <Strip />
                <div class="columns">
                    <div class="broad">
                        <Chart />
                        <Inbox />
                    </div>
                    <div class="narrow">
                        <Top />
                        <Blocks />
                        <Plugins />
                    </div>
                </div>
            </main>
            <Voice />
            <Notice />
        </>
    );
}

export function App() {
    if (resetToken.value)
        return <ResetPassword />;
    if (!loggedIn.value)
        return <Gate />;
    if (session.value.mustChange || passwordAsked.value)
        return <NewPassword oneTime={session.value.mustChange} onDone={() => { passwordAsked.value = false; }} />;
    if (factorAsked.value)
        return <SecondFactor onDone={() => { factorAsked.value = false; }} />;
    return <Page />;
}
