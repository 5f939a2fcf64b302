// SPDX-License-Identifier: Apache-2.0
// Markdown (the part of CommonMark and of GitHub's tables that models write) as DOM nodes. Text only ever becomes text nodes, and
// links lead to the web only: nothing in an answer can become part of the page.

const LINK = /^(https?:|mailto:)/i;

function make(name, ...children) {
  const element = document.createElement(name);
  element.append(...children);
  return element;
}

/** Inline marks: the earliest of these wins. */
const INLINE = [
  { mark: /`+/, node: (found, rest) => code(found, rest) },
  { mark: /\*\*|__/, node: (found, rest) => enclosed("strong", found, rest) },
  { mark: /~~/, node: (found, rest) => enclosed("del", found, rest) },
  { mark: /\*|(?<![\p{L}\p{N}])_/u, node: (found, rest) => enclosed("em", found, rest) },
  { mark: /\[/, node: (found, rest) => link(rest) },
  { mark: /https?:\/\//i, node: (found, rest) => address(found, rest) },
  { mark: /\\[!-/:-@[-`{-~]/, node: (found) => ({ node: document.createTextNode(found[1]), length: 0 }) },
];

function code(mark, rest) {
  const end = rest.indexOf(mark);
  return end < 0 ? null : { node: make("code", rest.slice(0, end).trim()), length: end + mark.length };
}

function enclosed(name, mark, rest) {
  const end = rest.indexOf(mark);
  if (end <= 0 || /^\s/.test(rest) || /\s$/.test(rest.slice(0, end))) return null;
  return { node: make(name, ...inline(rest.slice(0, end))), length: end + mark.length };
}

function link(rest) {
  const match = /^([^\]]*)\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/.exec(rest);
  if (!match || !LINK.test(match[2])) return null;
  return { node: anchor(match[2], inline(match[1])), length: match[0].length };
}

function address(found, rest) {
  const match = /^[^\s<>"'`，。；：！？、）】」]*[^\s<>"'`，。；：！？、）】」.,;:!?)\]]/.exec(rest);
  if (!match) return null;
  return { node: anchor(found + match[0], [found + match[0]]), length: match[0].length };
}

function anchor(to, children) {
  const a = make("a", ...children);
  a.href = to;
  a.rel = "noopener noreferrer nofollow";
  a.target = "_blank";
  return a;
}

function inline(text) {
  const nodes = [];
  let plain = "";
  let rest = text;
  while (rest) {
    let best = null;
    for (const kind of INLINE) {
      const match = kind.mark.exec(rest);
      if (match && (!best || match.index < best.match.index)) best = { kind, match };
    }
    if (!best) break;
    const { match } = best;
    const behind = rest.slice(match.index + match[0].length);
    const made = best.kind.node(match[0], behind);
    plain += rest.slice(0, match.index);
    if (made) {
      if (plain) nodes.push(plain);
      plain = "";
      nodes.push(made.node);
      rest = behind.slice(made.length);
    } else {
      plain += match[0];
      rest = behind;
    }
  }
  if (plain + rest) nodes.push(plain + rest);
  return nodes;
}

const LIST = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const FENCE = /^\s{0,3}(```+|~~~+)\s*([^\s`]*)/;

/** Lines as blocks; `codeBlock(language, text)` makes the node of a block of code. */
function blocks(lines, codeBlock, depth) {
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    let match;
    if (!line.trim()) {
      at++;
    } else if ((match = FENCE.exec(line))) {
      const body = [];
      const end = new RegExp(`^\\s{0,3}${match[1][0]}{${match[1].length},}\\s*$`);
      for (at++; at < lines.length && !end.test(lines[at]); at++) body.push(lines[at]);
      at++;
      nodes.push(codeBlock(match[2], body.join("\n")));
    } else if ((match = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*$/.exec(line))) {
      nodes.push(make(`h${Math.min(6, match[1].length + 2)}`, ...inline(match[2])));
      at++;
    } else if (/^\s{0,3}([-*_])(\s*\1){2,}\s*$/.test(line)) {
      nodes.push(make("hr"));
      at++;
    } else if (/^\s{0,3}>/.test(line) && depth < 8) {
      const body = [];
      for (; at < lines.length && /^\s{0,3}>/.test(lines[at]); at++) body.push(lines[at].replace(/^\s{0,3}> ?/, ""));
      nodes.push(make("blockquote", ...blocks(body, codeBlock, depth + 1)));
    } else if (LIST.test(line) && depth < 8) {
      at = list(lines, at, nodes, codeBlock, depth);
    } else if (line.includes("|") && /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(lines[at + 1] || "")) {
      at = table(lines, at, nodes);
    } else {
      const body = [line.trim()];
      for (at++; at < lines.length && lines[at].trim() && !FENCE.test(lines[at]) && !LIST.test(lines[at]) && !/^\s{0,3}(#{1,6}\s|>)/.test(lines[at]); at++) {
        body.push(lines[at].trim());
      }
      const children = [];
      body.forEach((part, i) => children.push(...(i ? [make("br")] : []), ...inline(part)));
      nodes.push(make("p", ...children));
    }
  }
  return nodes;
}

function list(lines, from, nodes, codeBlock, depth) {
  const [, indent, bullet] = LIST.exec(lines[from]);
  const ordered = /\d/.test(bullet);
  const element = make(ordered ? "ol" : "ul");
  if (ordered) element.start = parseInt(bullet, 10);
  let at = from;
  while (at < lines.length) {
    const match = LIST.exec(lines[at]);
    if (!match || match[1].length !== indent.length || /\d/.test(match[2]) !== ordered) break;
    const body = [match[3]];
    for (at++; at < lines.length; at++) {
      const deeper = lines[at].length - lines[at].trimStart().length > indent.length;
      const blankInside = !lines[at].trim() && at + 1 < lines.length && /^\s/.test(lines[at + 1]) && lines[at + 1].length - lines[at + 1].trimStart().length > indent.length;
      if (!deeper && !blankInside) break;
      body.push(lines[at].slice(Math.min(lines[at].length - lines[at].trimStart().length, indent.length + bullet.length + 1)));
    }
    const children = blocks(body, codeBlock, depth + 1);
    const first = children[0];
    element.append(make("li", ...(first && first.tagName === "P" ? [...first.childNodes, ...children.slice(1)] : children)));
    while (at < lines.length && !lines[at].trim() && LIST.test(lines[at + 1] || "")) at++;
  }
  nodes.push(element);
  return at;
}

function cells(line) {
  return line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function table(lines, from, nodes) {
  const row = (line, name) => make("tr", ...cells(line).map((cell) => make(name, ...inline(cell))));
  const body = make("tbody");
  let at = from + 2;
  for (; at < lines.length && lines[at].includes("|"); at++) body.append(row(lines[at], "td"));
  const wrapper = make("div", make("table", make("thead", row(lines[from], "th")), body));
  wrapper.className = "table";
  nodes.push(wrapper);
  return at;
}

export function markdown(text, codeBlock) {
  return blocks(text.replaceAll("\r\n", "\n").split("\n"), codeBlock, 0);
}
