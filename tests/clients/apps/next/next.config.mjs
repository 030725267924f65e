import path from "node:path";
import { withSentryConfig } from "@sentry/nextjs/config";

// `root`: the folder that has node_modules, which is above this one
const config = { output: "export", turbopack: { root: path.resolve("..") } };

export default withSentryConfig(config, {
  org: "any",
  project: process.env.SHOP_PROJECT,
  sentryUrl: process.env.SHOP_UPLOAD,
  authToken: process.env.SHOP_TOKEN,
  release: { name: process.env.SHOP_RELEASE },
  telemetry: false,
});
