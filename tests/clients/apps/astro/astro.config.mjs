import sentry from "@sentry/astro";
import { defineConfig } from "astro/config";

const options = {
  org: "any",
  project: process.env.SHOP_PROJECT,
  authToken: process.env.SHOP_TOKEN,
  sentryUrl: process.env.SHOP_UPLOAD,
  telemetry: false,
};

export default defineConfig({
  integrations: [sentry(options)],
  // else a small script stands in the page itself, and no map of it is uploaded
  vite: { build: { assetsInlineLimit: 0 } },
});
