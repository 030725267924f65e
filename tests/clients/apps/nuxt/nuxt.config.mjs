export default defineNuxtConfig({
  modules: ["@sentry/nuxt/module"],
  compatibilityDate: "2026-01-01",
  telemetry: false,
  sourcemap: { client: "hidden" },
  sentry: {
    org: "any",
    project: process.env.SHOP_PROJECT,
    authToken: process.env.SHOP_TOKEN,
    sentryUrl: process.env.SHOP_UPLOAD,
    sourceMapsUploadOptions: {
      org: "any",
      project: process.env.SHOP_PROJECT,
      authToken: process.env.SHOP_TOKEN,
      url: process.env.SHOP_UPLOAD,
      telemetry: false,
    },
    telemetry: false,
  },
});
