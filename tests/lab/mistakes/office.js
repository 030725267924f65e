import { store, later } from "./store.js";

const staff = new Map([["ada", { name: "Ada", team: null, shifts: [{ day: 1, room: null }] }]]);
const rooms = [{ id: "r1", seats: 4, booked: undefined }, { id: "r2", seats: 0 }];
const calendar = { weeks: [], owner: { mail: null }, open: { from: "08:00" } };

class Planner {
  #days = 5;
  constructor(team) { this.team = team; }
  get size() { return this.team.members.length; }
  static days(planner) { return planner.#days; }
  greet() { return "Team " + this.team.label; }
  async load() { const found = await later(null); return found.rows + 1; }
}

//: common, property of nothing
export function teamOfPerson() {
  const { team } = staff.get("ada");
  document.title = team.label;
}
//: common, property of nothing
export function roomOfShift() {
  const shifts = staff.get("ada").shifts.map((shift) => shift.room.id);
  return shifts.join();
}
//: common, property of nothing
export function nobodyOfThatName() {
  const person = staff.get("grace");
  person.lastSeen = 5;
}
//: common, property of nothing
export function sizeOfTeam() {
  const planner = new Planner(undefined);
  return planner.size + 1;
}
//: common, property of nothing
export function lostThisOfOffice() {
  const { greet } = new Planner({ label: "A" });
  const text = greet();
  return text + "!";
}
//: common, property of nothing
export async function loadedNothing() {
  await new Planner({}).load();
  document.title = "never";
}
//: common, property of nothing
export function firstWeek() {
  const sum = calendar.weeks[0].days.length + 1;
  return sum;
}
//: common, call of nothing
export function mailInCapitals() {
  const mail = calendar.owner.mail.toLowerCase();
  return mail + "";
}
//: common, property of nothing
export function fieldOfForm() {
  const form = document.createElement("form");
  const value = form.elements.email.value;
  return value + "";
}
//: common, property of nothing
export function clickOnMissingButton() {
  document.getElementById("book-room").onclick = () => 1;
}
//: common, call of nothing
export function listenerOnMissing() {
  document.querySelector("#calendar .day").addEventListener("click", () => 1);
  return true;
}
//: common, call of nothing
export function dataOfEvent() {
  const box = document.createElement("div");
  const parts = box.dataset.room.split("-");
  return parts.length;
}
//: common, property of nothing
export function parentOfLoose() {
  const loose = document.createElement("p");
  const tag = loose.parentNode.tagName;
  return tag + "";
}
//: common, property of nothing
export async function answerWithoutBody() {
  const answer = await Promise.resolve({ data: undefined });
  document.title = answer.data.items;
}
//: common, property of nothing
export function timerOfNothingOfOffice() {
  setTimeout(() => { document.title = rooms[5].id; });
}
//: common, call of nothing
export function matchOfText() {
  const day = "no day here".match(/\d+/).shift();
  return day + "";
}
//: common, property of nothing
export function reducedToNothing() {
  const best = rooms.reduce((one, two) => (one.seats > two.seats ? undefined : two));
  return best.id + "";
}
//: common, not a function
export function hookNotGiven() {
  const options = { onBook: undefined };
  options.onBook(rooms[0]);
  return true;
}
//: common, not a function
export function textAsList() {
  const names = "Ada,Grace";
  const shown = names.map((name) => name.trim());
  return shown.length;
}
//: common, not a function
export function objectAsList() {
  let sum = 0;
  calendar.open.forEach((hour) => { sum += hour; });
  return sum;
}
//: common, not a function
export function numberTrimmed() {
  const seats = rooms[0].seats.trim();
  return seats + "";
}
//: common, not a function
export function promiseFiltered() {
  const found = later(rooms).filter((room) => room.seats);
  return found.length;
}
//: common, not a function
export function propertyCalled() {
  const size = rooms.length();
  return size + 1;
}
//: common, not a function
export function elementInList() {
  const handlers = [1, 2];
  const done = handlers[0]("x");
  return done + "";
}
//: common, not a function
export function missingMethodOfClassOfOffice() {
  const planner = new Planner({});
  planner.publish();
  return true;
}
//: common, not a function
export function calledResult() {
  const make = () => "text";
  const done = make()();
  return done + "";
}
//: common, not a function
export async function jsonOfNoAnswer() {
  const answer = { status: 200 };
  const body = await answer.json();
  return body + "";
}
//: common, not iterable
export function spreadRoom() {
  const both = [...rooms[0].booked, 1];
  return both.length;
}
//: common, not iterable
export function loopOverCount() {
  let sum = 0;
  for (const seat of rooms[0].seats) sum += seat;
  return sum;
}
//: common, not iterable
export function entriesNotMade() {
  let sum = "";
  for (const [key, value] of calendar.open) sum += key + value;
  return sum;
}
//: common, not iterable
export function mapOfObject() {
  const made = new Map(calendar.open);
  return made.size;
}
//: common, not iterable
export async function allOfObject() {
  const all = await Promise.all({ a: 1 });
  return all.length;
}
//: common, destructuring
export function settingsOfOwner() {
  const { owner: { phone: { country } } } = calendar;
  return country + "";
}
//: common, destructuring
export function argumentsOfBooking() {
  const book = ({ room, from }) => room + from;
  const done = book();
  return done + "";
}
//: common, destructuring
export function loopTakesApart() {
  let sum = 0;
  for (const { seats } of [null, rooms[0]]) sum += seats;
  return sum;
}
//: common, object expected
export function keysOfBookings() {
  const keys = Object.keys(rooms[0].booked);
  return keys.length;
}
//: common, object expected
export function entriesOfNullOfOffice() {
  const pairs = Object.entries(calendar.owner.mail).map(([key]) => key);
  return pairs.length;
}
//: common, not defined
export function misspelledVariable() {
  const total = rooms.length + roomsBooked.length;
  return total;
}
//: common, not defined
export function libraryNotLoaded() {
  moment(store.page).format("LL");
  return true;
}
//: common, json
export function parsesObjectOfOffice() {
  const found = JSON.parse(calendar);
  return found.weeks;
}
//: common, json
export function parsesNothingOfOffice() {
  const found = JSON.parse(localStorage.getItem("never") || "");
  return found.length;
}
//: common, json
export function parsesSingleQuotesOfOffice() {
  const found = JSON.parse("{'room': 'r1'}");
  return found.room;
}
//: rare, computed property of nothing
export function dayOfTable() {
  const key = "week" + store.page;
  const day = calendar[key][store.page];
  return day + "";
}
//: rare, private member
export function daysOfStranger() {
  const days = Planner.days({ team: 1 });
  return days + 1;
}
//: rare, used before initialised
export function closureTooEarly() {
  const show = () => heading + "";
  const text = show();
  const heading = "Rooms";
  return text + heading;
}
//: rare, weak reference
export function weakNumber() {
  const held = new WeakRef(rooms[0].seats);
  return held.deref();
}
//: rare, selector
export function selectorWithFigure() {
  const found = document.querySelectorAll("#4th-room > .seat");
  return found.length;
}
//: rare, class token
export function emptyClassOfOffice() {
  document.body.classList.toggle("");
  return true;
}
//: rare, selection
export function selectsInCheckbox() {
  const box = document.createElement("input");
  box.type = "checkbox";
  box.setSelectionRange(0, 1);
  return box.value;
}
//: rare, range offset
export function rangeTooFar() {
  const range = document.createRange();
  range.setStart(document.body, 9999);
  return range.collapsed;
}
//: rare, canvas image
export function drawsNothing() {
  const pen = document.createElement("canvas").getContext("2d");
  pen.drawImage(null, 0, 0);
  return true;
}
//: rare, measure
export function measureWithoutMark() {
  performance.measure("booking", "never-marked");
  return true;
}
//: rare, observer threshold
export function thresholdTooHigh() {
  const seen = new IntersectionObserver(() => 1, { threshold: 5 });
  return seen.root;
}
//: rare, blob url
export function linkOfNoBlob() {
  const link = URL.createObjectURL({ size: 1 });
  return link + "";
}
//: rare, clone
export function postsFunctionOfOffice() {
  const channel = new MessageChannel();
  channel.port1.postMessage({ done: () => 1 });
  return true;
}
//: rare, shadow
export function shadowOfInput() {
  const root = document.createElement("input").attachShadow({ mode: "open" });
  return root.mode;
}
//: rare, list format
export function styleOfList() {
  const made = new Intl.ListFormat("en", { style: "huge" });
  return made.format(["a"]);
}
//: rare, relative time
export function unitOfTime() {
  const text = new Intl.RelativeTimeFormat("en").format(3, "fortnight");
  return text + "";
}
//: rare, array buffer
export function bufferTooLarge() {
  const space = new ArrayBuffer(-8);
  return space.byteLength;
}
//: rare, set method
export function unionWithList() {
  const all = new Set([1]).union([2]);
  return all.size;
}
//: rare, getter only
export function sizeAssigned() {
  "use strict";
  const planner = new Planner({ members: [] });
  planner.size = 4;
  return planner.size;
}
//: rare, rejected with nothing
export async function refusedSilently() {
  await later(1);
  await Promise.reject(null);
  return true;
}
//: rare, invalid date
export function dayOfNoDate() {
  const day = new Date(calendar.open.to + "T08:00").toISOString();
  return day + "";
}
