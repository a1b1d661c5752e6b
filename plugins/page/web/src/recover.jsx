/* What may be done without having logged in: another password by mail, an account of one's own. */
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { ask, ended, leave, tellAnybody } from "./api.js";
import { Card, Field, LogIn } from "./login.jsx";
import { safe } from "./text.js";

const methods = signal({});
const step = signal("log-in");          /* log-in, recover, register */
const back = () => { step.value = "log-in"; };

/* Out of the address of a letter, "#reset=TOKEN", which then forgets it. */
function tokenOfAddress() {
    const token = /^#reset=(ecp_\w+)$/.exec(location.hash)?.[1] ?? "";

    if (token)
        history.replaceState(null, "", location.pathname);
    return token;
}

export const resetToken = signal(tokenOfAddress());
addEventListener("hashchange", () => { resetToken.value = tokenOfAddress() || resetToken.value; });

function Back() {
    return <button type="button" class="quiet" onClick={back}>Back to the log-in</button>;
}

/* What came of it, in place of the form. */
function Said({ title, children }) {
    return (
        <main class="card-place">
            <section class="card" role="status">
                <h1><img src="/icon.svg" alt="" width="28" height="28" />{title}</h1>
                <p>{children}</p>
                <Back />
            </section>
        </main>
    );
}

function Recover() {
    const [said, setSaid] = useState("");

    if (said)
        return <Said title="Look into your mail">{safe(said)}</Said>;
    return (
        <Card title="Another password" action="Send me a letter" foot={<Back />}
              lead="A letter with an address that is good for 30 minutes goes to you."
              onSubmit={async ({ email }) => {
                  setSaid((await tellAnybody("POST", "/api/auth/password-recovery/request-token", { email })).message);
              }}>
            <Field id="email" label="E-mail address" type="email" autocomplete="email" autofocus />
        </Card>
    );
}

function Register() {
    const [user, setUser] = useState(null);

    async function make({ username, email, fullName, fresh }) {
        setUser(await tellAnybody("POST", "/api/auth/register",
            { username, email, password: fresh, ...(fullName ? { full_name: fullName } : {}) }));
    }
    if (user)
        return (
            <Said title="The account is made">
                {user.is_active ? "Log in with it." : "An administrator has to let you in. Log in then."}
            </Said>
        );
    return (
        <Card title="Make an account" action="Make it" onSubmit={make} foot={<Back />}
              lead={methods.value.registration === "approval" ? "An administrator lets you in." : ""}>
            <Field id="username" label="User" autocomplete="username" autofocus autocapitalize="none"
                   spellcheck={false} hint="Letters, digits and . _ @ -" />
            <Field id="email" label="E-mail address" type="email" autocomplete="email" />
            <Field id="fullName" label="Name" autocomplete="name" required={false} />
            <Field id="fresh" label="Password" type="password" autocomplete="new-password" hint="A sentence is best." />
        </Card>
    );
}

export function ResetPassword() {
    const done = () => { resetToken.value = ""; };

    async function change({ fresh, again }) {
        if (fresh !== again)
            throw new Error("The two new passwords differ.");
        const body = { token: resetToken.value, new_password: fresh };
        const { message } = await tellAnybody("POST", "/api/auth/password-recovery/reset-password", body);

        leave();
        ended.value = message;
        done();
    }
    return (
        <Card title="Choose a password" action="Change it" onSubmit={change}
              lead="All sessions end; log in with the new one then."
              foot={<button type="button" class="quiet" onClick={done}>Leave it as it is</button>}>
            <Field id="fresh" label="New password" type="password" autocomplete="new-password" autofocus
                   hint="A sentence is best." />
            <Field id="again" label="New password, once more" type="password" autocomplete="new-password" />
        </Card>
    );
}

export function Gate() {
    useEffect(() => {
        ask("/api/auth/methods").then((answer) => { methods.value = answer; }, () => {});
    }, []);
    if (step.value === "recover")
        return <Recover />;
    if (step.value === "register")
        return <Register />;
    const { registration, recovery_by_mail: mail } = methods.value;

    return (
        <LogIn foot={(
            <>
                {mail && (
                    <button type="button" class="quiet" onClick={() => { step.value = "recover"; }}>
                        Forgot the password?
                    </button>
                )}
                {registration && registration !== "closed" && (
                    <button type="button" class="quiet" onClick={() => { step.value = "register"; }}>
                        Make an account
                    </button>
                )}
            </>
        )} />
    );
}
