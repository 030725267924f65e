import { sentryVitePlugin } from "@sentry/vite-plugin";
import solid from "vite-plugin-solid";

const sentry = sentryVitePlugin({
  org: "any",
  project: process.env.SHOP_PROJECT,
  url: process.env.SHOP_UPLOAD,
  authToken: process.env.SHOP_TOKEN,
  release: { name: process.env.SHOP_RELEASE },
  telemetry: false,
});

export default { build: { sourcemap: "hidden" }, plugins: [solid(), sentry] };
