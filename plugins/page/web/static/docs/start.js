/* A file of its own: the policy of this server allows no script within a page. */
window.ui = window.SwaggerUIBundle({
    url: "/api/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    validatorUrl: null,
    displayRequestDuration: true,
    presets: [window.SwaggerUIBundle.presets.apis],
});
