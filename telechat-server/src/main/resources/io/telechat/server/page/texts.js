// SPDX-License-Identifier: Apache-2.0
// What the page says, in English and Chinese.

const TEXTS = {
  en: {
    skip: "To the message", chats: "Chats", newChat: "New chat", settings: "Settings", theme: "Light or dark",
    model: "Model", conversation: "Conversation", message: "Your message", placeholder: "Ask something …", send: "Send",
    stop: "Stop", note: "Answers may be wrong. What you write stays on this server and in this browser.",
    system: "System prompt of this chat", temperature: "Temperature", topP: "Top-p", topK: "Top-k",
    repetition: "Repetition penalty", maxTokens: "Length at most (tokens)", seed: "Seed", key: "API key",
    settingsNote: "What is empty is left to the model.", close: "Close", export: "Export this chat",
    copy: "Copy", copied: "Copied", regenerate: "Regenerate", edit: "Edit", delete: "Delete", rename: "Rename",
    you: "You", assistant: "Answer", answering: "Answering …", answered: "The answer is there.", stopped: "Stopped.",
    failed: "That failed: ", cut: "The answer was cut at its greatest length.", untitled: "New chat",
    confirmDelete: "Delete this chat?", newName: "Name of this chat", empty: "What would you like to know?",
    needsKey: "This server wants an API key: Settings.", lost: "the connection was lost", save: "Send changed", cancel: "Cancel",
    full: "The browser has no room for more chats: delete some.", code: "Code", thoughts: "Thoughts",
    maxThinkingTokens: "Thoughts at most (tokens)", cutThoughts: "The length was spent on thoughts: allow more, or less of those.",
  },
  zh: {
    skip: "跳到输入框", chats: "对话", newChat: "新对话", settings: "设置", theme: "浅色或深色",
    model: "模型", conversation: "对话内容", message: "你的消息", placeholder: "问点什么……", send: "发送",
    stop: "停止", note: "回答可能有误。你写的内容只保存在这台服务器和这个浏览器中。",
    system: "本对话的系统提示", temperature: "温度", topP: "Top-p", topK: "Top-k",
    repetition: "重复惩罚", maxTokens: "最大长度（词元）", seed: "随机种子", key: "API 密钥",
    settingsNote: "留空的由模型决定。", close: "关闭", export: "导出本对话",
    copy: "复制", copied: "已复制", regenerate: "重新生成", edit: "编辑", delete: "删除", rename: "重命名",
    you: "你", assistant: "回答", answering: "正在回答……", answered: "回答已完成。", stopped: "已停止。",
    failed: "出错了：", cut: "回答因达到最大长度而中断。", untitled: "新对话",
    confirmDelete: "删除这个对话？", newName: "对话的名称", empty: "想知道什么？",
    needsKey: "此服务器需要 API 密钥：请在“设置”中填写。", lost: "连接中断", save: "发送修改", cancel: "取消",
    full: "浏览器没有空间保存更多对话：请删除一些。", code: "代码", thoughts: "思考过程",
    maxThinkingTokens: "思考的最大长度（词元）", cutThoughts: "长度都用在了思考上：请放宽长度，或限制思考。",
  },
};

let language = localStorage.getItem("telechat.language") || (navigator.language.startsWith("zh") ? "zh" : "en");

export function text(key) {
  return TEXTS[language][key];
}

/** Changes to the other language, and says everything in it. */
export function switchLanguage() {
  language = language === "en" ? "zh" : "en";
  localStorage.setItem("telechat.language", language);
  translate();
}

export function translate() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", text(element.dataset.label));
  for (const element of document.querySelectorAll("[data-placeholder]")) element.placeholder = text(element.dataset.placeholder);
  document.getElementById("language").textContent = language === "en" ? "中文" : "English";
}
