// Elements made one by one: whatever text they get, they get as text.

const SVG = "http://www.w3.org/2000/svg";

export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function drawing(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : String(value));
  }
  if (children.length === 1 && typeof children[0] === "string") made.textContent = children[0];
  else made.append(...children.filter((child) => child !== undefined).map(node));
  return made;
}

function node(child) {
  return child instanceof Node ? child : document.createTextNode(String(child));
}

// Text in which code stands between backticks.
export function prose(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : document.createTextNode(part)));
}

export function byId(id) {
  return document.getElementById(id);
}

export function facts(pairs) {
  const list = element("dl", { class: "facts" });
  for (const [name, value] of pairs) {
    if (value !== undefined && value !== "") {
      list.append(element("dt", {}, name), element("dd", {}, ...(value instanceof Array ? value : [value])));
    }
  }
  return list;
}

export function badge(status) {
  const tone = status < 300 ? "good" : status >= 500 || status === 401 ? "wrong" : "";
  return element("span", { class: `badge ${tone}` }, String(status));
}
