import { sentry } from "./sentry_vite.mjs";
import solid from "vite-plugin-solid";

export default { build: { sourcemap: "hidden" }, plugins: [solid(), sentry] };
