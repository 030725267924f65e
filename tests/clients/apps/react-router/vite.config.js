import { reactRouter } from "@react-router/dev/vite";
import { sentryReactRouter } from "@sentry/react-router";
import { defineConfig } from "vite";

const options = {
  org: "any",
  project: process.env.SHOP_PROJECT,
  authToken: process.env.SHOP_TOKEN,
  release: { name: process.env.SHOP_RELEASE },
  telemetry: false,
  // all that its upload after the build is told of the server
  unstable_sentryVitePluginOptions: { url: process.env.SHOP_UPLOAD },
};

export default defineConfig(async (config) => ({
  plugins: [reactRouter(), await sentryReactRouter(options, config)],
}));
