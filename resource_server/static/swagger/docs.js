// What the docs page adds to Swagger UI, by Swagger UI's own means: a plugin that wraps components and actions.

// Names and roles for those who hear the page or use no mouse (WCAG 2.2: 2.1.1, 2.4.3, 2.5.3, 4.1.2).
function AccessiblePlugin({ React }) {
  const { createElement, cloneElement, isValidElement, Children, useEffect, useRef, useState } = React;

  // The controls that a component has rendered, named; its text fields and lists have no label of their own.
  const named = (node, name) => {
    if (!isValidElement(node)) return node;
    const unnamed = ["select", "input"].includes(node.type) && !node.props["aria-label"];
    const props = unnamed ? { "aria-label": node.props["data-variable"] ?? name } : {};
    const children = Children.map(node.props.children, (child) => named(child, name));
    return cloneElement(node, props, ...(children ?? []));
  };
  const naming = (name) => (Original) =>
    Original.prototype?.isReactComponent
      ? class extends Original {
          render() {
            return named(super.render(), name);
          }
        }
      : (props) => named(Original(props), name);

  const Path = ({ text }) => createElement("span", null, text);

  return {
    wrapComponents: {
      Servers: naming("Server"),
      ExamplesSelect: naming("Example"),
      TextArea: (Original) => (props) => createElement(Original, { "aria-label": "Request body", ...props }),
      Input: (Original) => (props) => {
        const named = props["aria-label"] === "auth-bearer-value" ? { "aria-label": "Access token" } : {};
        return createElement(Original, { ...props, ...named });
      },
      CloseIcon: (Original) => (props) => [
        createElement("span", { key: "name", className: "heard-only" }, "Close"),
        createElement(Original, { key: "icon", ...props }),
      ],

      // "Apply credentials" on a button that reads Authorize: who speaks to the page says what it reads.
      Button: (Original) => (props) => {
        const { "aria-label": label, children } = props;
        const both = label && typeof children === "string" && `${children}: ${label}`;
        return createElement(Original, both ? { ...props, "aria-label": both } : props);
      },

      // The path is a link within the button that opens the operation: a keyboard would stop at both.
      OperationSummaryPath: (Original) => (props) => {
        const getComponent = (name, ...rest) => (name === "DeepLink" ? Path : props.getComponent(name, ...rest));
        return createElement(Original, { ...props, getComponent });
      },

      // The focus enters the dialog, stays there, and returns to the button that opened it.
      authorizationPopup: (Original) => (props) => {
        const dialog = useRef(null);
        const [opener] = useState(() => document.activeElement); // before a field of the dialog takes the focus
        useEffect(() => {
          if (!dialog.current.contains(document.activeElement)) dialog.current.focus();
          return () => opener?.focus();
        }, []);
        const stay = ({ relatedTarget: next }) => {
          if (next && !dialog.current.contains(next)) dialog.current.focus();
        };
        const attributes = { role: "dialog", "aria-modal": true, "aria-label": "Available authorizations", tabIndex: -1 };
        return createElement("div", { ...attributes, ref: dialog, onBlur: stay }, createElement(Original, props));
      },
    },
  };
}

// RFC 8707 §2.2: the resource is named to the token endpoint, too, or some issuers make the token for another one.
const resourcePlugin = (resource) => () => ({
  statePlugins: {
    auth: {
      wrapActions: {
        authorizeRequest: (request) => (login) =>
          request({ ...login, body: `${login.body}&${new URLSearchParams({ resource })}` }),
      },
    },
  },
});

function followTheBrowserIntoTheDark() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", paint);
  paint();
}

// `assets` is the folder of the page's files, relative to the page; `document` is that of the API, relative to it.
function showDocs({ assets, document, login, resource }) {
  followTheBrowserIntoTheDark();
  const within = (name) => new URL(`${assets}/${name}`, location.href).href;
  const page = SwaggerUIBundle({
    url: within(document),
    dom_id: "#docs",
    oauth2RedirectUrl: within("oauth2-redirect"),
    plugins: [AccessiblePlugin, ...(resource ? [resourcePlugin(resource)] : [])],
    validatorUrl: null,
    deepLinking: true,
    docExpansion: "list",
    displayRequestDuration: true,
    persistAuthorization: false,
  });
  page.initOAuth({ ...login, usePkceWithAuthorizationCodeGrant: true });
}
