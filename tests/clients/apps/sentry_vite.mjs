// Sentry's plug-in for Vite, for the shops that Vite alone builds: copied beside their configuration.
import { sentryVitePlugin } from "@sentry/vite-plugin";

export const sentry = sentryVitePlugin({
  org: "any",
  project: process.env.SHOP_PROJECT,
  url: process.env.SHOP_UPLOAD,
  authToken: process.env.SHOP_TOKEN,
  release: { name: process.env.SHOP_RELEASE },
  telemetry: false,
});
