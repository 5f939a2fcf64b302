// SPDX-License-Identifier: Apache-2.0
// The chat page: chats are kept in this browser, answers stream from this server, nothing comes from anywhere else.

import { markdown } from "./markdown.js";
import { switchLanguage, text, translate } from "./texts.js";

const $ = (id) => document.getElementById(id);
const NUMBERS = ["temperature", "top_p", "top_k", "repetition_penalty", "max_tokens", "max_thinking_tokens", "seed"];

// ------------------------------------------------------------------------------------------------ what is kept in the browser

function load(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem("telechat." + name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function save(name, value) {
  try {
    localStorage.setItem("telechat." + name, JSON.stringify(value));
  } catch {
    say(text("full"));
  }
}

let chats = load("chats", []);
let settings = load("settings", {});
let current = null;
let running = null;

const saveChats = () => save("chats", chats);

function newChat() {
  // An empty chat is as good as another.
  current = chats.find((chat) => chat.messages.length === 0);
  if (!current) {
    current = { id: crypto.randomUUID?.() ?? String(Date.now() + Math.random()), title: "", system: "", messages: [] };
    chats.unshift(current);
  }
  show();
  $("input").focus();
}

function open(chat) {
  current = chat;
  closeMenu();
  show();
  $("input").focus();
}

function remove(chat) {
  if (!confirm(text("confirmDelete"))) return;
  if (running?.chat === chat) running.controller.abort();
  chats = chats.filter((other) => other !== chat);
  saveChats();
  if (current === chat) chats.length ? open(chats[0]) : newChat();
  else show();
}

function rename(chat) {
  const title = prompt(text("newName"), chat.title);
  if (title === null) return;
  chat.title = title.trim();
  saveChats();
  show();
}

// ------------------------------------------------------------------------------------------------ how it looks

function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function say(what) {
  $("status").textContent = what;
}

function show() {
  $("title").textContent = current.title || text("untitled");
  document.title = (current.title ? current.title + " – " : "") + "telechat";
  $("list").replaceChildren(
    ...chats.map((chat) => {
      const name = chat.title || text("untitled");
      const tool = (label, sign, action) => {
        const button = make("button", { type: "button", className: "tool", textContent: sign, onclick: action });
        button.setAttribute("aria-label", label + ": " + name);
        button.title = label;
        return button;
      };
      const item = make(
        "li",
        {},
        make("button", { type: "button", className: "open", textContent: name, onclick: () => open(chat) }),
        tool(text("rename"), "✎", () => rename(chat)),
        tool(text("delete"), "✕", () => remove(chat)),
      );
      if (chat === current) {
        item.dataset.current = "";
        item.firstChild.setAttribute("aria-current", "true");
      }
      return item;
    }),
  );
  const articles = current.messages.map((message, index) => article(message, index));
  $("log").replaceChildren(...(articles.length ? articles : [make("p", { className: "empty", textContent: text("empty") })]));
  if (running?.chat === current) running.article = articles.at(-1);
  toEnd();
  showRunning();
}

function showRunning() {
  $("send").hidden = running !== null;
  $("stop").hidden = running === null;
}

function isAtEnd() {
  const log = $("log");
  return log.scrollHeight - log.scrollTop - log.clientHeight < 80;
}

function toEnd() {
  $("log").scrollTop = $("log").scrollHeight;
}

async function copy(what, button) {
  try {
    await navigator.clipboard.writeText(what);
  } catch {
    // Without https there is no clipboard; a selection can be copied still.
    const area = document.body.appendChild(make("textarea", { value: what, className: "hidden" }));
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  button.textContent = text("copied");
  say(text("copied"));
  setTimeout(() => (button.textContent = text("copy")), 1500);
}

function codeBlock(language, code) {
  const button = make("button", { type: "button", textContent: text("copy") });
  button.onclick = () => copy(code, button);
  const pre = make("pre", { tabIndex: 0 }, make("code", {}, code));
  return make("figure", {}, make("figcaption", {}, make("span", { textContent: language || text("code") }), button), pre);
}

function article(message, index) {
  const isUser = message.role === "user";
  const element = make("article", { className: message.role });
  element.setAttribute("aria-label", text(isUser ? "you" : "assistant"));
  element.append(make("div", { className: "body" }));
  const busy = running?.chat === current && index === current.messages.length - 1;
  element.setAttribute("aria-busy", String(busy));
  fill(element, message);
  if (!busy) element.append(tools(message, index, element));
  return element;
}

function fill(element, message) {
  const body = element.querySelector(".body");
  if (message.role === "user") {
    body.textContent = message.content;
    return;
  }
  if (message.thinking) showThoughts(element, body, message.thinking);
  body.replaceChildren(...markdown(message.content, codeBlock));
  const onlyThoughts = message.thinking && !message.content;
  if (message.cut) body.append(make("p", { className: "cut", textContent: text(onlyThoughts ? "cutThoughts" : "cut") }));
  if (message.error) body.append(make("p", { className: "error", textContent: text("failed") + message.error }));
}

/** Thoughts are open while they come, and stay as the user has them. */
function showThoughts(element, body, thinking) {
  let details = element.querySelector(".thoughts");
  if (!details) {
    details = make("details", { className: "thoughts", open: element.getAttribute("aria-busy") === "true" });
    details.append(make("summary", { textContent: text("thoughts") }), make("div"));
    body.before(details);
  }
  details.lastChild.textContent = thinking;
}

function tools(message, index, element) {
  const button = (key, action) => make("button", { type: "button", textContent: text(key), onclick: action });
  const copying = button("copy", () => copy(message.content, copying));
  const bar = make("div", { className: "tools" }, copying);
  if (message.role === "user") bar.append(button("edit", () => edit(message, index, element)));
  else bar.append(button("regenerate", () => answer(index)));
  return bar;
}

function edit(message, index, element) {
  const area = make("textarea", { value: message.content, rows: 4 });
  area.setAttribute("aria-label", text("edit"));
  const send = make("button", { type: "button", textContent: text("save") });
  send.onclick = () => {
    if (!area.value.trim() || running) return;
    current.messages[index] = { role: "user", content: area.value };
    answer(index + 1);
  };
  const cancel = make("button", { type: "button", textContent: text("cancel"), onclick: () => show() });
  element.replaceChildren(area, make("div", { className: "tools" }, send, cancel));
  area.focus();
}

// ------------------------------------------------------------------------------------------------ talking to the server

function headers() {
  const all = { "Content-Type": "application/json" };
  if (settings.key) all.Authorization = "Bearer " + settings.key;
  return all;
}

/** Events of a stream, as JSON. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(text("lost"));
    buffer += value;
    for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
      const data = buffer.slice(0, end).split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n");
      buffer = buffer.slice(end + 2);
      if (data === "[DONE]") return;
      if (data) yield JSON.parse(data);
    }
  }
}

async function request(chat, signal) {
  const body = { model: $("model").value || undefined, stream: true, messages: [] };
  if (chat.system.trim()) body.messages.push({ role: "system", content: chat.system });
  body.messages.push(...chat.messages.filter((m) => m.role === "user" || m.content).map(({ role, content }) => ({ role, content })));
  for (const name of NUMBERS) if (typeof settings[name] === "number") body[name] = settings[name];
  const response = await fetch("v1/chat/completions", { method: "POST", headers: headers(), body: JSON.stringify(body), signal });
  if (!response.ok) {
    const failure = await response.json().catch(() => null);
    if (response.status === 401) throw new Error(text("needsKey"));
    throw new Error(failure?.error?.message ?? response.status + " " + response.statusText);
  }
  return response;
}

/** Has the message at this place answered anew; what comes behind it is forgotten. */
async function answer(index) {
  if (running) return;
  const chat = current;
  chat.messages.length = index;
  const message = { role: "assistant", content: "" };
  const controller = new AbortController();
  const job = (running = { chat, controller, article: null });
  let response;
  try {
    const asked = request(chat, controller.signal);
    chat.messages.push(message);
    saveChats();
    show();
    say(text("answering"));
    response = await asked;
    let drawn = 0;
    for await (const event of events(response)) {
      controller.signal.throwIfAborted(); // what had come before the stop counts no more
      if (event.error) throw new Error(event.error.message);
      const choice = event.choices?.[0];
      message.content += choice?.delta?.content ?? "";
      if (choice?.delta?.reasoning_content) message.thinking = (message.thinking ?? "") + choice.delta.reasoning_content;
      if (choice?.finish_reason === "length") message.cut = true;
      if (performance.now() - drawn > 40) {
        draw(job, message);
        drawn = performance.now();
      }
    }
    say(text("answered"));
  } catch (failure) {
    if (controller.signal.aborted) say(text("stopped"));
    else {
      message.error = failure.message;
      say(text("failed") + failure.message);
    }
  }
  running = null;
  saveChats();
  if (current === chat) {
    const follows = isAtEnd();
    const top = $("log").scrollTop;
    show();
    if (!follows) $("log").scrollTop = top;
  } else showRunning();
}

function draw(job, message) {
  if (job.chat !== current || !job.article) return;
  const follows = isAtEnd();
  fill(job.article, message);
  if (follows) toEnd();
}

function send() {
  const content = $("input").value;
  if (!content.trim() || running) return;
  $("input").value = "";
  fitInput();
  if (!current.title) current.title = content.trim().split("\n")[0].slice(0, 60);
  current.messages.push({ role: "user", content });
  chats = [current, ...chats.filter((chat) => chat !== current)];
  answer(current.messages.length);
}

async function listModels() {
  try {
    const response = await fetch("v1/models", { headers: headers() });
    if (response.status === 401) say(text("needsKey"));
    const models = response.ok ? (await response.json()).data : [];
    $("model").replaceChildren(...models.map(({ id }) => make("option", { value: id, textContent: id })));
    if (models.some(({ id }) => id === settings.model)) $("model").value = settings.model;
  } catch {
    say(text("failed") + text("lost"));
  }
}

// ------------------------------------------------------------------------------------------------ what the user does

function fitInput() {
  const input = $("input");
  input.rows = Math.min(12, Math.max(1, input.value.split("\n").length));
}

function closeMenu() {
  delete document.body.dataset.menu;
  $("menu").setAttribute("aria-expanded", "false");
}

function showTheme() {
  if (settings.theme) document.documentElement.dataset.theme = settings.theme;
  $("theme").textContent = settings.theme === "dark" ? "☾" : settings.theme === "light" ? "☀" : "◐";
}

function openSettings() {
  $("system").value = current.system;
  $("key").value = settings.key ?? "";
  for (const name of NUMBERS) $(name).value = settings[name] ?? "";
  $("settings").showModal();
}

$("settings").addEventListener("close", () => {
  current.system = $("system").value;
  settings.key = $("key").value.trim();
  for (const name of NUMBERS) {
    const value = $(name).valueAsNumber;
    if (Number.isNaN(value)) delete settings[name];
    else settings[name] = value;
  }
  saveChats();
  save("settings", settings);
  listModels();
});
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
$("input").addEventListener("input", fitInput);
$("input").addEventListener("keydown", (event) => {
  // Enter also confirms what an input method suggests; that sends nothing.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
    event.preventDefault();
    send();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    if (document.body.dataset.menu !== undefined) closeMenu();
    else if (!$("settings").open) running?.controller.abort();
  }
});
$("stop").onclick = () => {
  running?.controller.abort();
  $("input").focus();
};
$("new").onclick = () => {
  closeMenu();
  newChat();
};
$("menu").onclick = () => {
  document.body.dataset.menu = "";
  $("menu").setAttribute("aria-expanded", "true");
  $("new").focus();
};
document.querySelector("main").addEventListener("click", (event) => {
  if (!event.target.closest("#menu")) closeMenu();
});
$("open-settings").onclick = openSettings;
$("export").onclick = () => {
  const blob = new Blob([JSON.stringify(current.messages, null, 2)], { type: "application/json" });
  const link = make("a", { href: URL.createObjectURL(blob), download: (current.title || "chat") + ".json" });
  link.click();
  URL.revokeObjectURL(link.href);
};
$("language").onclick = () => {
  switchLanguage();
  show();
};
$("theme").onclick = () => {
  const dark = settings.theme ? settings.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  settings.theme = dark ? "light" : "dark";
  save("settings", settings);
  showTheme();
};
$("model").onchange = () => {
  settings.model = $("model").value;
  save("settings", settings);
};

translate();
showTheme();
listModels();
if (chats.length) open(chats[0]);
else newChat();
