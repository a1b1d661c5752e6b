/* The second factor of the user who has logged in, on and off. */
import { useState } from "preact/hooks";
import { tell } from "./api.js";
import { Card, Field } from "./login.jsx";
import { me } from "./state.js";
import { safe } from "./text.js";

const path = (what) => `/api/auth/2fa/${what}`;

function Code() {
    return <Field id="code" label="Code" autocomplete="one-time-code" spellcheck={false} autofocus />;
}

function Password() {
    return <Field id="current" label="Password" type="password" autocomplete="current-password" autofocus />;
}

/* Recovery codes are shown this once. */
function Spare({ codes, onDone }) {
    return (
        <main class="card-place">
            <section class="card">
                <h1>Recovery codes</h1>
                <p>Each logs in once in place of a code of your app. Keep them where you find them without it: they are
                    shown this once.</p>
                <pre class="codes">{codes.map(safe).join("\n")}</pre>
                <button type="button" class="primary" onClick={onDone}>I have kept them</button>
            </section>
        </main>
    );
}

export function SecondFactor({ onDone }) {
    const [secret, setSecret] = useState(null);
    const [codes, setCodes] = useState(null);
    const foot = <button type="button" class="quiet" onClick={onDone}>Leave it as it is</button>;

    async function enable({ code }) {
        const answer = await tell("POST", path("enable"), { code });

        me.value = { ...me.value, is_two_factor_enabled: true };
        setCodes([answer.recovery_codes].flat());
    }
    async function disable({ current, code }) {
        await tell("POST", path("disable"), { password: current, code });
        me.value = { ...me.value, is_two_factor_enabled: false };
        onDone();
    }
    if (codes)
        return <Spare codes={codes} onDone={onDone} />;
    if (secret)
        return (
            <Card key="enable" title="Second factor" action="Turn it on" onSubmit={enable} foot={foot}
                  lead="Give your app this secret, and say the code that it shows.">
                <p><code class="codes">{safe(secret.secret)}</code></p>
                <p><a href={secret.otpauth_uri}>Open it in an app on this device</a></p>
                <Code />
            </Card>
        );
    if (me.value?.is_two_factor_enabled)
        return (
            <Card key="disable" title="Second factor" action="Turn it off" onSubmit={disable} foot={foot}
                  lead="You then log in with the password alone.">
                <Password />
                <Code />
            </Card>
        );
    return (
        <Card key="secret" title="Second factor" action="Go on" foot={foot}
              lead="An app on your telephone shows a code, which is asked for beside the password."
              onSubmit={async ({ current }) => {
                  setSecret(await tell("POST", path("generate-secret"), { password: current }));
              }}>
            <Password />
        </Card>
    );
}
