"""Do answers say what the OpenAPI document says of them? Needs jsonschema (Debian's python3-jsonschema)."""
import json
import re

try:
    import jsonschema
except ImportError:
    jsonschema = None

GENERAL = {400, 405, 408, 413, 414, 431, 501, 505}      # of HTTP itself, before a route is known


class Contract:
    """often: how many answers of one status of one operation are looked at."""
    def __init__(self, document, often=60):
        self.often, self.document, self.seen, self.validators, self.wrong, self.looked = often, document, {}, {}, [], 0
        self.paths = {path: re.compile(re.sub(r"{\w+}", "[^/]+", path) + "$") for path in document["paths"]}

    def responses(self, method, path):
        """Of the operation that a path as it was sent belongs to, a fixed one first; None: none."""
        path = path.split("?")[0]
        fits = [p for p, form in self.paths.items() if form.match(path) and method.lower() in self.document["paths"][p]]
        best = min(fits, key=lambda p: (p.count("{"), -len(p))) if fits else None
        return best, self.document["paths"][best][method.lower()]["responses"] if best else None

    def validator(self, key, schema):
        if key not in self.validators:
            whole = dict(schema, components=self.document["components"])
            jsonschema.Draft202012Validator.check_schema(whole)
            self.validators[key] = jsonschema.Draft202012Validator(whole)
        return self.validators[key]

    def why(self, method, path, answer):
        """What is wrong; None: nothing."""
        status, headers, body = answer
        template, responses = self.responses(method, path)
        if responses is None:
            return None if status in (404, 405) else "no operation of the document answers there"
        if status == 304 or status in GENERAL and str(status) not in responses:
            return None
        if str(status) not in responses:
            return "the document has no %d" % status
        key = (method, template, status)
        self.seen[key] = self.seen.get(key, 0) + 1
        if self.seen[key] > self.often:
            return None
        self.looked += 1
        content = responses[str(status)].get("content", {})
        kind = (headers.get("Content-Type") or "").split(";")[0]
        if not content:
            return "it has a body" if body else None
        if kind not in [name.split(";")[0] for name in content]:
            return "its type is %r, not %s" % (kind, list(content))
        if kind != "application/json":
            return None
        error = jsonschema.exceptions.best_match(
            self.validator(key, content[kind]["schema"]).iter_errors(json.loads(body)))
        return "%s: %s" % (list(error.absolute_path), error.message[:300]) if error else None

    def check(self, method, path, answer):
        try:
            why = self.why(method, path, answer)
        except ValueError as error:
            why = "it is no JSON: %s" % error
        if why:
            self.wrong.append((method, path[:200], answer[0], why, answer[2][:200]))
        return why
