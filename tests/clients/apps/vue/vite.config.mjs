import { sentry } from "./sentry_vite.mjs";
import vue from "@vitejs/plugin-vue";

export default { build: { sourcemap: "hidden" }, plugins: [vue(), sentry] };
