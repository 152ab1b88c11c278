// A name for the theme's search, and what scrolls sideways is reached by keyboard.
function reachable() {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap, .eb, .eb-rows, .md-typeset pre > code")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
}
document$.subscribe(() => {
  reachable();
  setTimeout(reachable); // the theme wraps tables after this
  document.fonts.ready.then(reachable); // and letters may turn out wider
});
addEventListener("resize", reachable);
