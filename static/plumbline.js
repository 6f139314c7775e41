// The little that HTML and htmx don't do by themselves.

const markTheme = () => {
  for (const button of document.querySelectorAll("[data-theme-choice]:is(button)")) {
    button.setAttribute("aria-pressed", button.dataset.themeChoice === document.documentElement.dataset.themeChoice);
  }
};

const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details.dropdown[open]")) {
    if (menu !== except) menu.open = false;
  }
};

const announce = (text) => { document.getElementById("announcer").textContent = text; };

const fail = (text) => {
  const toast = document.getElementById("failure").content.cloneNode(true);
  toast.querySelector(".toast-body").textContent = text;
  document.getElementById("toasts").append(toast);
};

document.addEventListener("click", (event) => {
  closeMenus(event.target.closest("details.dropdown"));
  event.target.closest("[data-dismiss]")?.closest(".toast, .alert")?.remove();
  const choice = event.target.closest("button[data-theme-choice]");
  if (choice) {
    try { localStorage.setItem("theme", choice.dataset.themeChoice); } catch { /* kept for nobody, then */ }
    dispatchEvent(new Event("themechange"));
    markTheme();
  }
  const toggle = event.target.closest("[data-toggle]");
  if (toggle) {
    const shown = document.getElementById(toggle.dataset.toggle).classList.toggle("show");
    toggle.setAttribute("aria-expanded", shown);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelector("details.dropdown[open] > summary")?.focus();
  closeMenus(null);
});

// Leaving a search field is no new search: it was sent while it was typed.
document.addEventListener("change", (event) => { if (event.target.type === "search") event.stopPropagation(); }, true);

// A filter that is left empty says nothing, so it has no place in the address.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get") return;
  const parameters = event.detail.parameters;
  for (const name of Object.keys(parameters)) {
    if (parameters[name] === "") delete parameters[name];
  }
});

// A form that was refused comes back as a page that begins at its top: go to what is wrong. A fragment in the
// address takes the focus away until the page is loaded.
addEventListener("load", () => {
  if (document.activeElement !== document.body || document.querySelector("main [autofocus]")) return;
  const wrong = document.querySelector("main [aria-invalid='true']");
  (wrong?.matches("fieldset") ? wrong.querySelector("input") : wrong)?.focus();
});

// Focus that was within the part that is replaced would be lost: find its like in the new part.
let place = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  const active = document.activeElement;
  place = null;
  if (event.detail.target?.contains(active) && active !== document.body) {
    place = { root: event.detail.target.id, id: active.id, text: active.textContent.trim(), tag: active.tagName };
  }
});
document.addEventListener("htmx:afterSettle", (event) => {
  const root = (place && document.getElementById(place.root)) || event.detail.elt;
  if (root?.dataset?.announce) announce(root.dataset.announce);
  if (!place || !root || root.contains(document.activeElement)) return;
  const same = (place.id && document.getElementById(place.id))
    || root.querySelector("[autofocus]")
    || [...root.querySelectorAll(place.tag)].find((element) => element.textContent.trim() === place.text);
  if (same) {
    same.focus({ preventScroll: true });
  } else {
    root.tabIndex = -1;
    root.focus({ preventScroll: true });
  }
  place = null;
});

// Of another kind an example is another one, unless somebody has begun to write.
document.addEventListener("change", (event) => {
  const examples = event.target.name === "kind" && document.getElementById("examples");
  const text = examples && event.target.form.elements.text;
  if (!text) return;
  const texts = JSON.parse(examples.textContent);
  if (Object.values(texts).some((example) => example.trim() === text.value.trim())) text.value = texts[event.target.value];
});

document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 409) return; // its own answer says what happened
  fail(status === 403 || status === 404
    ? "It isn’t there any more, or isn’t yours to do. Reload the page to see how things stand."
    : `The server answered with an error (${status}). Nothing was changed; try again, or reload the page.`);
});
document.addEventListener("htmx:sendError", () => fail("The server can’t be reached. Try again when the connection is back."));

markTheme();
