var coupons = ["SPRING", "SUMMER"];
var = coupons.length;
