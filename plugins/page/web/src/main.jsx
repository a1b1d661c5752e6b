import "uplot/dist/uPlot.min.css";
import "./tokens.css";
import "./page.css";
import "./parts.css";
import { render } from "preact";
import { App } from "./app.jsx";

render(<App />, document.body);
