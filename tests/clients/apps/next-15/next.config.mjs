import { withSentryConfig } from "@sentry/nextjs";

export default withSentryConfig({ output: "export" }, {
  org: "any",
  project: process.env.SHOP_PROJECT,
  sentryUrl: process.env.SHOP_UPLOAD,
  authToken: process.env.SHOP_TOKEN,
  release: { name: process.env.SHOP_RELEASE },
  telemetry: false,
});
