document.querySelectorAll("nav button").forEach(function (button) {
  button.addEventListener("click", function () {
    var shown = button.getAttribute("aria-pressed") === "true";
    button.setAttribute("aria-pressed", String(!shown));
    document.querySelectorAll("mark." + button.dataset.type).forEach(function (mark) {
      mark.classList.toggle("off", shown);
    });
  });
});
