/* A file of its own: the policy of this server allows no script within a page. */
window.Redoc.init("/api/openapi.json", { hideDownloadButtons: true, requiredPropsFirst: true }, document.getElementById("redoc"));
