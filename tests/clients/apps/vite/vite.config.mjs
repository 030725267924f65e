import { sentry } from "./sentry_vite.mjs";

export default { build: { sourcemap: "hidden" }, plugins: [sentry] };
