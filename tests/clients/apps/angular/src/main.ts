import { Component, ErrorHandler } from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";
import * as Sentry from "@sentry/angular";
import { checkoutOrder } from "./shop.js";
import { dsn, release } from "./settings.js";

Sentry.init({ dsn, release });

@Component({
  selector: "shop-root",
  template: `<button id="buy" (click)="buy()">buy</button>`,
})
class Shop {
  buy() {
    checkoutOrder({ lines: [] });
  }
}

bootstrapApplication(Shop, {
  providers: [{ provide: ErrorHandler, useValue: Sentry.createErrorHandler() }],
});
