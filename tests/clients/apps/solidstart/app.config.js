import { withSentry } from "@sentry/solidstart";
import { defineConfig } from "@solidjs/start/config";

const options = {
  org: "any",
  project: process.env.SHOP_PROJECT,
  authToken: process.env.SHOP_TOKEN,
  sourceMapsUploadOptions: {
    telemetry: false,
    // all that its upload is told of the server
    unstable_sentryVitePluginOptions: {
      url: process.env.SHOP_UPLOAD,
      release: { name: process.env.SHOP_RELEASE },
    },
  },
};

export default defineConfig(withSentry({ ssr: false, server: { preset: "static" } }, options));
