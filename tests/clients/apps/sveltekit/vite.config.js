import { sentrySvelteKit } from "@sentry/sveltekit";
import { sveltekit } from "@sveltejs/kit/vite";

const sentry = {
  org: "any",
  project: process.env.SHOP_PROJECT,
  sentryUrl: process.env.SHOP_UPLOAD,
  authToken: process.env.SHOP_TOKEN,
  release: { name: process.env.SHOP_RELEASE },
  telemetry: false,
};

export default {
  plugins: [await sentrySvelteKit(sentry), sveltekit()],
};
